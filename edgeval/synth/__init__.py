"""Generated data: short lecture-like videos whose facts exist nowhere else; questions about rooms.

Only this package uses Pillow (extra ``make``).
"""
