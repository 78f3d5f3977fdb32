"""onnxruntime as an engine: one set of graphs, on the CPU (``cpu``) or an NVIDIA GPU (``cuda``)."""
