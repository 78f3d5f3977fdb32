"""Which graphs TensorRT's parser takes, by version, told before a library is at hand.

Source: the operator table of onnx-tensorrt (docs/operators.md, branches release/10.0 to 11.0) and
its importers; what has no place in a fast engine is left out too.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from edgeval.engines.trt.graphfile import GraphFile, Operation

STANDARD = ("", "ai.onnx")
# Taken by 10.0 and all after it.
NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast
CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum
DeformConv DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike
Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool
GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax
Identity InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less
LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool Mean
MeanVarianceNormalization Min Mish Mod Mul Neg Not OneHot Or PRelu Pad Pow QuantizeLinear RNN
Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin
ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round Scatter
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose
Trilu Unsqueeze Upsample Where Xor
"""
TAKEN = frozenset(NAMES.split())
SINCE: Mapping[str, tuple[int, int]] = {
    "BlackmanWindow": (10, 4),
    "HammingWindow": (10, 4),
    "HannWindow": (10, 4),
    "STFT": (10, 5),
    "Attention": (10, 14),
    "RMSNormalization": (10, 15),
    "RotaryEmbedding": (10, 15),
    "TensorScatter": (10, 15),
    "Swish": (11, 0),
}
SLOW: Mapping[str, str] = {
    "If": "branches do not build in merged decoders",
    "Loop": "loops do not build in decoders",
    "Scan": "loops do not build in decoders",
    "NonZero": "its output's size is known too late",
    "NonMaxSuppression": "its output's size is known too late",
}
# From a version on, the newest set of standard operators.
OPSETS = (((10, 13), 24), ((10, 9), 22), ((0, 0), 20))
PAST_INPUTS = slice(4, 6)


def objections(graph: GraphFile, version: tuple[int, ...]) -> list[str]:
    """What TensorRT of a version, (10, 3) or later, will not take; empty for a graph it takes."""
    newest = next(opset for since, opset in OPSETS if version >= since)
    found = []
    if graph.opset > newest:
        found.append(f"opset {graph.opset} (takes up to {newest})")
    for operation in graph.operations:
        if (said := _objection(operation, version)) and said not in found:
            found.append(said)
    for name, port in chain(graph.inputs.items(), graph.outputs.items()):
        if port.dtype == "float64":
            found.append(f"{name} is float64, which would be cut to float32")
    return found


def _objection(operation: Operation, version: tuple[int, ...]) -> str:
    op = operation.op
    if operation.domain not in STANDARD:
        return f"{operation.domain}.{op} (a plug-in; export with --flavour plain)"
    if op in SLOW:
        return f"{op} ({SLOW[op]})"
    if op not in TAKEN and op not in SINCE:
        return f"{op} (no importer)"
    since = SINCE.get(op, (0, 0))
    if version < since:
        return f"{op} (from {since[0]}.{since[1]} on)"
    if op == "Attention" and (any(operation.inputs[PAST_INPUTS]) or any(operation.outputs[1:])):
        return "Attention with a past (takes it without)"
    return ""
