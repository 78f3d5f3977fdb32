"""The five kinds of lesson, one module each; ``KINDS`` in lessons.py lists them."""
