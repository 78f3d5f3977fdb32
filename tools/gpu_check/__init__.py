"""One command for a machine with a GPU: is edgeval right on it, and how fast beside transformers.

Not part of the package: it stands in the checkout, and its results in docs/gpu.
"""
