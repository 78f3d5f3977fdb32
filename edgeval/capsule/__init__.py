"""A finished run in one file that anyone can check: sealed, scored again, replayed.

``archive``: the file; ``pieces``: which field of which record a damaged byte belongs to; ``pack``:
run folder in, capsule out; ``sealed``: capsule in, what is damaged; ``rescored``: the same scores
without a model; ``replay``: the same stages with one; ``stages``: where two records part.
"""
