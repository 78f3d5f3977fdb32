"""edgeval: what a small video language model is worth on the device it runs on."""

__version__ = "0.1.0"
