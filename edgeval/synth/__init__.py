"""Generated lessons: short lecture-like videos whose facts exist nowhere else.

Only this package uses Pillow (extra ``make``).
"""
