"""Text to token ids and back: chat templates, turns, tokenizer, what ends an answer."""
