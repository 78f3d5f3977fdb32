"""Whether a graph rounds its activations by scales that it works out of the whole call.

Such a scale is the largest number of everything in the call: with another token, or another
sequence beside it, every number is rounded otherwise. So a prompt in pieces, a prefix that was read
before, and a batch each give other logits than the prompt whole and alone.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from edgeval.modelfolder import onnxfile, wire
from edgeval.modelfolder.external import INNER, MOST_LEVELS

# Of ONNX and of onnxruntime's own (docs/ContribOperators.md of 1.31): those that work out a scale
# themselves, and those that take whole numbers, which in published exports only such scales give.
OPERATORS = frozenset(
    {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"}
    | {"MatMulInteger", "MatMulIntegerToFloat", "ConvInteger", "QAttention"}
)
OP_TYPE = 4


def dynamic_operators(path: Path) -> tuple[str, ...]:
    """Operators of an ONNX file that make it so, sorted; none for a graph that may be shared.

    In branches, loops and functions too. Raises ManifestError for what is no ONNX file.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            found = set(_operators(view, (0, len(view)), "model", 0))
    except (ValueError, IndexError, OSError) as error:
        raise onnxfile.broken(path, error) from error
    return tuple(sorted(found & OPERATORS))


def _operators(view: mmap.mmap, span: wire.Span, kind: str, level: int) -> Iterator[str]:
    if level > MOST_LEVELS:
        raise ValueError("its parts are nested too deep")
    for field, value in wire.fields(view, span):
        if not isinstance(value, tuple):
            continue
        if kind == "node" and field == OP_TYPE:
            yield wire.text(view, value)
        elif INNER[kind].get(field) in ("graph", "function", "node", "attribute"):
            yield from _operators(view, value, INNER[kind][field], level + 1)
