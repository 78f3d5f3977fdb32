"""What a checkpoint says of its sizes, against what it has: looked at before anything is built.

A config.json may ask for any number of layers of any width, and a header of safetensors may promise
any number of bytes. Both must agree with the files, so nothing is allocated that is not there.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeval.dataset import inside
from edgeval.errors import DataError, ManifestError
from edgeval.modelfolder.numbers import MOST_EDGE, brief, whole
from edgeval.modelfolder.text import read_json

INDEX = "model.safetensors.index.json"
# The format allows as much; a header of a model of 70 billion parameters has 150 kB.
MOST_HEADER_BYTES = 100_000_000
MOST_PATCHES = 1 << 16
MOST_SIDE = 256
MOST_PLACES = 1 << 24
WIDTHS = (
    *("hidden_size", "intermediate_size", "vocab_size", "embed_dim", "out_hidden_size"),
    *("num_attention_heads", "num_key_value_heads", "num_heads", "head_dim"),
)
LAYERS = ("num_hidden_layers", "depth", "num_layers")
SIDES = ("patch_size", "temporal_patch_size", "spatial_merge_size", "scale_factor", "num_channels")
# Room for heads that the file leaves out because they are tables of tokens too.
SLACK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the headers promise: tensors, numbers in all of them, the longest axis of any."""

    n_tensors: int
    n_numbers: int
    longest: int


def check(folder: Path) -> Weights:
    """What the weights are. ManifestError where they or the config cannot be."""
    found = _weights(folder)
    config = read_json(folder / "config.json")
    for table in _tables(config):
        _check_table(table, found, f"checkpoint {folder / 'config.json'}")
    return found


def check_modules(model: Any, found: Weights, folder: Path) -> None:
    """ManifestError for a model (without memory) that is larger than its weights."""
    n_numbers = sum(parameter.numel() for parameter in model.parameters())
    if n_numbers > SLACK * found.n_numbers:
        raise ManifestError(
            f"checkpoint {folder}: config.json describes a model of {n_numbers} numbers, the "
            f"weights have {found.n_numbers}; wants a config of these weights"
        )


def _weights(folder: Path) -> Weights:
    shapes = [shape for path in _files(folder) for shape in _shapes(path)]
    if not shapes:
        raise ManifestError(f"checkpoint {folder}: its safetensors hold nothing")
    return Weights(
        n_tensors=len(shapes),
        n_numbers=sum(map(math.prod, shapes)),
        longest=max((side for shape in shapes for side in shape), default=1),
    )


def _files(folder: Path) -> list[Path]:
    """The files of weights: those of an index, else all there are."""
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    if (folder / INDEX).is_file() and not (folder / "model.safetensors").is_file():
        table = read_json(folder / INDEX).get("weight_map")
        if not isinstance(table, dict) or not table:
            raise ManifestError(f"checkpoint {folder / INDEX}: got no weight_map")
        names = sorted({str(name) for name in table.values()})
    for name in names:
        if not name.endswith(".safetensors"):
            raise ManifestError(
                f"checkpoint {folder / INDEX}: names weights {brief(name)}; wants safetensors only"
            )
    try:
        paths = [inside(folder, name) for name in names]
    except DataError as error:
        raise ManifestError(f"checkpoint {folder}: {error}") from error
    if missing := [path for path in paths if not path.is_file()]:
        raise ManifestError(f"checkpoint {folder}: no {missing[0].name}, which its index names")
    return paths


def _shapes(path: Path) -> Iterator[tuple[int, ...]]:
    """The shape of every tensor in a file. Source: safetensors' README, section Format."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= min(size - 8, MOST_HEADER_BYTES):
            raise ManifestError(
                f"checkpoint {path}: cannot be loaded: got a header of {length} bytes in a file of "
                f"{size}; wants safetensors"
            )
        text = file.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"checkpoint {path}: cannot be loaded: no header in it") from error
    if not isinstance(header, dict):
        raise ManifestError(f"checkpoint {path}: cannot be loaded: its header is no JSON object")
    for name, tensor in header.items():
        if name != "__metadata__":
            yield _shape(tensor, size - 8 - length, f"checkpoint {path}: tensor {brief(name)}")


def _shape(tensor: object, n_bytes: int, where: str) -> tuple[int, ...]:
    """The shape of a tensor whose bytes are in the file."""
    entry = tensor if isinstance(tensor, dict) else {}
    shape, span = _wholes(entry.get("shape")), _wholes(entry.get("data_offsets"))
    if shape is None or span is None or len(span) != len(("start", "end")):
        raise ManifestError(f"{where} has no shape or no place")
    start, end = span
    # No type of numbers has fewer than four bits.
    if not start <= end <= n_bytes or math.prod(shape) > 2 * (end - start):
        raise ManifestError(f"{where} of shape {brief(shape)} is not in the file; get it again")
    return shape


def _wholes(value: object) -> tuple[int, ...] | None:
    """Whole numbers from 0 on, None for anything else."""
    numbers = value if isinstance(value, list) else [-1]
    return tuple(numbers) if all(type(one) is int and one >= 0 for one in numbers) else None


def _tables(value: object) -> Iterator[Mapping[str, object]]:
    """Every object in a config, itself first."""
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield part
            todo += part.values()
        elif isinstance(part, list):
            todo += part


def _check_table(table: Mapping[str, object], found: Weights, where: str) -> None:
    bounds = dict.fromkeys(WIDTHS, found.longest)
    bounds |= dict.fromkeys(LAYERS, found.n_tensors)
    bounds |= dict.fromkeys(SIDES, MOST_SIDE) | {"max_position_embeddings": MOST_PLACES}
    for key, most in bounds.items():
        if key not in table or table[key] is None:
            continue
        values = table[key] if isinstance(table[key], list) else [table[key]]
        for value in values if isinstance(values, list) else []:
            whole({key: value}, key, where, most=most)
    for key in ("image_size", "crop_size"):
        values = table.get(key)
        for value in values if isinstance(values, list) else [values]:
            if value is not None and not isinstance(value, dict):
                edge = whole({key: value}, key, where, most=MOST_EDGE)
                _check_patches(edge, table, where)


def _check_patches(edge: int, table: Mapping[str, object], where: str) -> None:
    side = table.get("patch_size")
    side = min(side) if isinstance(side, list) and side else side
    if isinstance(side, int) and (edge // side) ** 2 > MOST_PATCHES:
        raise ManifestError(
            f"{where}: got pictures of {edge} pixels a side in patches of {side}; wants at most "
            f"{MOST_PATCHES} patches"
        )
