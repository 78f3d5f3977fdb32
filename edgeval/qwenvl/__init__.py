"""What Qwen2-VL, Qwen2.5-VL and Qwen3-VL share: patches of frame pairs, chat turns, M-RoPE.

Each family's own module says what differs (edgeval/families/qwen*.py).
"""
