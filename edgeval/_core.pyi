"""C++ kernels. Imported by frames.py, pixels.py and metrics.py only."""
