"""The engine "cpu": onnxruntime on the CPU, the key-value cache kept in its own memory.

Graphs are told by their port names and types. A decoder with GroupQueryAttention gets one buffer for
past and present (transformers and onnxruntime-genai do the same); any other gets a cache that grows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgeval import onnxfile
from edgeval.engines import Array, Context, Floats, GraphFiles, Graphs
from edgeval.errors import ArgumentError, EngineError, ManifestError

if TYPE_CHECKING:
    import onnxruntime

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
PAST, PRESENT = "past_key_values.", "present."
PIP = "pip install 'edgeval[cpu]'"


def open_graphs(files: GraphFiles) -> Graphs:
    """Open the three graphs; EngineError when onnxruntime is missing, doubled, or refuses a graph."""
    version = _version()
    return OrtGraphs(
        version=version,
        vision=Session(files.vision, files.threads),
        embed=Embedding(files.embed, files.threads),
        decoder=Decoder(files.decoder, files.threads),
    )


def _version() -> str:
    found = []
    for package in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    if not found:
        raise EngineError(f"engine cpu: onnxruntime is not installed; run {PIP}")
    if len(found) > 1:
        raise EngineError(
            f"engine cpu: got both {' and '.join(found)}, which overwrite each other; uninstall both, "
            "then install the one you want"
        )
    return found[0]


class Session:
    """One graph: its ports by name with numpy types, and a way to run it."""

    def __init__(self, path: Path, threads: int | None) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise EngineError(
                f"engine cpu: onnxruntime cannot be imported ({error}); run {PIP}"
            ) from error
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.use_deterministic_compute = True
        # Waiting threads would burn the core that the video decoder needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.path = path
        self.failures = _failures()
        try:
            self.session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except self.failures as error:
            raise EngineError(
                f"engine cpu: {path.name} cannot be opened: {_line(error)}"
            ) from error
        self.inputs = {port.name: _dtype(port, path) for port in self.session.get_inputs()}
        self.outputs = tuple(port.name for port in self.session.get_outputs())
        self.shapes = {port.name: tuple(port.shape) for port in self.session.get_inputs()}

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """All outputs; feeds are given the types that the graph wants."""
        if missing := [name for name in self.inputs if name not in feeds]:
            raise EngineError(
                f"engine cpu: {self.path.name} also takes {missing[0]}, which nothing gives"
            )
        ready = {
            name: np.ascontiguousarray(feeds[name], kind) for name, kind in self.inputs.items()
        }
        try:
            outputs: list[Array] = self.session.run(None, ready)
        except self.failures as error:
            raise EngineError(f"engine cpu: {self.path.name} failed: {_line(error)}") from error
        return outputs


class Embedding:
    """Rows of the embedding table: read straight from the file where the graph is one lookup."""

    def __init__(self, path: Path, threads: int | None) -> None:
        self.table = onnxfile.lookup_table(path)
        self.session = Session(path, threads) if self.table is None else None

    def rows(self, token_ids: Sequence[int]) -> Floats:
        """float32 [S, hidden]."""
        if self.table is not None:
            return np.asarray(self.table[np.asarray(token_ids, np.int64)], np.float32)
        assert self.session is not None
        ids = np.asarray(token_ids, np.int64)[None]
        return np.asarray(self.session.run({"input_ids": ids})[0][0], np.float32)


class Decoder:
    """The decoder's session and what its ports say about the cache."""

    def __init__(self, path: Path, threads: int | None) -> None:
        session = Session(path, threads)
        past = [name for name in session.inputs if name.startswith(PAST)]
        known = {"inputs_embeds", "attention_mask", "position_ids", "num_logits_to_keep", *past}
        if strange := [name for name in session.inputs if name not in known]:
            raise ManifestError(
                f"graph {path}: takes {strange[0]}, which no engine gives; export it again"
            )
        if not past or "inputs_embeds" not in session.inputs or "logits" not in session.outputs:
            raise ManifestError(f"graph {path}: not a decoder with a key-value cache")
        self.session = session
        self.pairs = [(name, PRESENT + name.removeprefix(PAST)) for name in past]
        self.kinds = [session.inputs[name] for name in past]
        self.heads = [(_fixed(session, name, 1), _fixed(session, name, 3)) for name in past]
        operators = {node.op for node in onnxfile.read(path).nodes}
        self.shares_buffer = "GroupQueryAttention" in operators

    def step_feeds(self, embeds: Floats, start: int) -> dict[str, Array]:
        """The small inputs for tokens ``start`` .. ``start + S``, as OrtValues take them."""
        s = embeds.shape[0]
        given: dict[str, Array] = {
            "inputs_embeds": embeds[None],
            "attention_mask": np.ones((1, start + s), np.int64),
            "position_ids": np.arange(start, start + s, dtype=np.int64)[None],
            "num_logits_to_keep": np.asarray(1, np.int64),
        }
        kinds = self.session.inputs
        return {
            name: np.ascontiguousarray(value, kinds[name]).reshape(value.shape)
            for name, value in given.items()
            if name in kinds
        }


class OrtGraphs:
    """Graphs on onnxruntime's CPU provider."""

    def __init__(
        self, *, version: str, vision: Session, embed: Embedding, decoder: Decoder
    ) -> None:
        self.version = version
        self._vision, self._embedding, self._decoder = vision, embed, decoder

    def see(self, feeds: Mapping[str, Array]) -> Floats:
        """See Graphs."""
        features = np.asarray(self._vision.run(feeds)[0], np.float32)
        return features.reshape(-1, features.shape[-1])

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """See Graphs."""
        return self._embedding.rows(token_ids)

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        if self._decoder.shares_buffer:
            return BufferContext(self._decoder, self._embedding, capacity)
        return GrowingContext(self._decoder, self._embedding)

    def close(self) -> None:
        """See Graphs. Sessions are freed with the last reference."""
        del self._vision, self._embedding, self._decoder


class GrowingContext:
    """Every call gives a new cache, so a fork is a second reference."""

    def __init__(self, decoder: Decoder, embedding: Embedding) -> None:
        import onnxruntime as ort

        self._decoder, self._embedding = decoder, embedding
        self.length = 0
        self._past = [
            ort.OrtValue.ortvalue_from_numpy(np.zeros((1, heads, 0, width), kind))
            for (heads, width), kind in zip(decoder.heads, decoder.kinds, strict=True)
        ]

    def extend(self, embeds: Floats) -> Floats:
        """See Context."""
        decoder = self._decoder
        binding = decoder.session.session.io_binding()
        feeds = decoder.step_feeds(embeds, self.length)
        for name, value in feeds.items():
            binding.bind_cpu_input(name, value)
        binding.bind_output("logits", "cpu")
        for (past, present), cache in zip(decoder.pairs, self._past, strict=True):
            binding.bind_ortvalue_input(past, cache)
            binding.bind_output(present, "cpu")
        _run(decoder.session, binding)
        outputs = binding.get_outputs()
        self._past = outputs[1:]
        self.length += embeds.shape[0]
        return _last(outputs[0].numpy())

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.extend(self._embedding.rows((token_id,)))

    def fork(self) -> GrowingContext:
        """See Context."""
        child = GrowingContext.__new__(GrowingContext)
        child._decoder, child._embedding = self._decoder, self._embedding
        child.length, child._past = self.length, self._past
        return child


class BufferContext:
    """One buffer per layer for past and present; a fork writes on behind its parent's tokens."""

    def __init__(self, decoder: Decoder, embedding: Embedding, capacity: int) -> None:
        self._decoder, self._embedding = decoder, embedding
        self.length = 0
        self._buffers = _Buffers(decoder, capacity)
        self._buffers.writer = self
        self._overtaken = False

    def extend(self, embeds: Floats) -> Floats:
        """See Context."""
        decoder, end = self._decoder, self.length + embeds.shape[0]
        self._claim(end)
        binding = self._buffers.binding
        for name, value in decoder.step_feeds(embeds, self.length).items():
            binding.bind_cpu_input(name, value)
        binding.bind_output("logits", "cpu")
        _run(decoder.session, binding)
        self.length = end
        return _last(binding.get_outputs()[-1].numpy())

    def step(self, token_id: int) -> Floats:
        """See Context."""
        return self.extend(self._embedding.rows((token_id,)))

    def fork(self) -> BufferContext:
        """See Context."""
        child = BufferContext.__new__(BufferContext)
        child._decoder, child._embedding = self._decoder, self._embedding
        child.length, child._buffers, child._overtaken = self.length, self._buffers, False
        writer = self._buffers.writer
        if writer is not self:
            writer._overtaken = True
        self._buffers.writer = child
        return child

    def _claim(self, end: int) -> None:
        """Make the buffer ours and long enough for ``end`` tokens."""
        if self._overtaken:
            raise ArgumentError("context: a later fork wrote over it; fork the parent again")
        if self._buffers.writer is not self or end > self._buffers.capacity:
            capacity = max(self._buffers.capacity, end + end // 4)
            self._buffers = self._buffers.copied(self.length, capacity)
            self._buffers.writer = self


class _Buffers:
    """The arrays of all layers, bound once as inputs and as outputs."""

    writer: BufferContext

    def __init__(self, decoder: Decoder, capacity: int) -> None:
        import onnxruntime as ort

        self.capacity = max(1, capacity)
        self._decoder = decoder
        self.arrays: list[NDArray[np.generic]] = [
            np.zeros((1, heads, self.capacity, width), kind)
            for (heads, width), kind in zip(decoder.heads, decoder.kinds, strict=True)
        ]
        # onnxruntime uses the memory of these arrays; both must live as long as the binding.
        self._values = [ort.OrtValue.ortvalue_from_numpy(array) for array in self.arrays]
        self.binding = decoder.session.session.io_binding()
        for (past, present), value in zip(decoder.pairs, self._values, strict=True):
            self.binding.bind_ortvalue_input(past, value)
            self.binding.bind_ortvalue_output(present, value)

    def copied(self, length: int, capacity: int) -> _Buffers:
        """The first ``length`` tokens in new arrays."""
        new = _Buffers(self._decoder, capacity)
        for target, source in zip(new.arrays, self.arrays, strict=True):
            target[:, :, :length] = source[:, :, :length]
        return new


def _run(session: Session, binding: onnxruntime.IOBinding) -> None:
    try:
        session.session.run_with_iobinding(binding)
    except session.failures as error:
        raise EngineError(f"engine cpu: {session.path.name} failed: {_line(error)}") from error


def _last(logits: NDArray[np.generic]) -> Floats:
    return np.asarray(logits[0, -1], np.float32)


def _dtype(port: onnxruntime.NodeArg, path: Path) -> type[np.generic]:
    if port.type not in DTYPES:
        raise ManifestError(
            f"graph {path}: input {port.name} is {port.type}; wants one of {', '.join(DTYPES)}"
        )
    return DTYPES[port.type]


def _fixed(session: Session, name: str, axis: int) -> int:
    size = session.shapes[name][axis]
    if not isinstance(size, int):
        raise ManifestError(
            f"graph {session.path}: axis {axis} of {name} has no fixed size; export it again"
        )
    return size


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: classes without a base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [
        value
        for value in vars(state).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    return (*own, RuntimeError, ValueError)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
