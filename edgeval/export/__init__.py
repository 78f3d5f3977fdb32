"""Checkpoint to ONNX folder. Needs the ``export`` extra; never imported by the rest."""
