"""The trt engine's contexts with onnxruntime in the GPU's place: all but TensorRT itself runs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edgeval import cudadriver
from edgeval.engines import trt
from edgeval.engines.trt import graphfile, library, profiles, rows, scatter
from edgeval.engines.trt.building import Source
from edgeval.engines.trt.decoder import Decoder
from edgeval.engines.trt.replaying import Replaying
from edgeval.engines.trt.store import Stored
from edgeval.engines.trt.ways import ROWS, Way


class HostMemory:
    """Memory in this process: pieces of bytes aligned to 256, by address.

    New memory is full of NaN. A graph is the work that it was recorded of.
    """

    stream = 0

    def __init__(self) -> None:
        self.pieces: dict[int, np.ndarray] = {}
        self.copied_bytes = 0
        self.graphs: dict[int, Callable[[], None]] = {}
        self.n_recorded = self.n_replayed = 0

    def allocate(self, n_bytes: int) -> int:
        piece = np.full(n_bytes + 256, 0xFF, np.uint8)
        address = -(-piece.ctypes.data // 256) * 256
        self.pieces[address] = piece
        return address

    def free(self, address: int) -> None:
        self.pieces.pop(address, None)

    def upload(self, address: int, array: np.ndarray) -> None:
        whole = np.ascontiguousarray(array)
        ctypes.memmove(address, whole.ctypes.data, whole.nbytes)

    def download(self, address: int, array: np.ndarray) -> None:
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def copy(self, target: int, source: int, n_bytes: int) -> None:
        self.copied_bytes += n_bytes
        ctypes.memmove(target, source, n_bytes)

    def clear(self, address: int, n_bytes: int) -> None:
        ctypes.memset(address, 0, n_bytes)

    def recorded(self, work: Callable[[], None]) -> int:
        self.n_recorded += 1
        self.graphs[self.n_recorded] = work
        return self.n_recorded

    def replay(self, graph: int) -> None:
        self.n_replayed += 1
        self.graphs[graph]()

    def forget(self, graph: int) -> None:
        del self.graphs[graph]

    def close(self) -> None:
        self.pieces.clear()


class OrtRunner:
    """A graph on onnxruntime, its inputs and outputs at addresses as TensorRT has them."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # it warns of every copy of a cache
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        kinds = {
            "tensor(float)": np.float32,
            "tensor(float16)": np.float16,
            "tensor(int64)": np.int64,
            "tensor(bool)": np.bool_,
        }
        self._kinds = {port.name: kinds[port.type] for port in self._session.get_inputs()}
        self._outputs = [port.name for port in self._session.get_outputs()]
        # By profile, as TensorRT has a context for each.
        self._shapes: dict[int, dict[str, tuple[int, ...]]] = {}
        self._hosted: dict[int, dict[str, np.ndarray]] = {}
        self.runs: list[tuple[int, dict[str, tuple[int, ...]]]] = []

    def hosted(self, name: str) -> bool:
        return name == "num_logits_to_keep" or name.endswith("grid_thw")

    def shape(self, profile, shapes, hosted) -> Mapping[str, tuple[int, ...]]:
        given = {name: tuple(sizes) for name, sizes in shapes.items()}
        self._shapes[profile], self._hosted[profile] = given, dict(hosted)
        if any(name.startswith((rows.PAST_ROWS, rows.PAST)) for name in shapes):
            return {}
        # A decoder's outputs are known beforehand, any other's by trying.
        tried = {name: np.ones(given[name], kind) for name, kind in self._kinds.items()}
        made = self._session.run(None, {**tried, **hosted})
        return {name: array.shape for name, array in zip(self._outputs, made, strict=True)}

    def run(self, profile: int, addresses: Mapping[str, int]) -> None:
        assert {a % 256 for a in addresses.values()} == {0}, "TensorRT takes aligned ones only"
        shapes = self._shapes[profile]
        self.runs.append((profile, shapes))
        feeds = dict(self._hosted[profile])
        for name, kind in self._kinds.items():
            if name not in feeds:
                feeds[name] = self._at(addresses[name], shapes[name], kind)
        for name, made in zip(self._outputs, self._session.run(None, feeds), strict=True):
            whole = np.ascontiguousarray(made)
            ctypes.memmove(addresses[name], whole.ctypes.data, whole.nbytes)

    def close(self) -> None:
        self._shapes.clear()

    def _at(self, address: int, shape: tuple[int, ...], kind: type) -> np.ndarray:
        array = np.zeros(shape, kind)
        ctypes.memmove(array.ctypes.data, address, array.nbytes)
        return array


@pytest.fixture(scope="session")
def plain(tiny: Path) -> graphfile.GraphFile:
    """The decoder of the carried model in standard operators."""
    return graphfile.read(tiny / "onnx" / "decoder_model_merged.onnx")


@pytest.fixture(scope="session")
def tensor_scatter(plain) -> None:
    """Skips where onnxruntime is older than the operator, which is of opset 24."""
    try:
        OrtRunner(scatter.rewritten(plain, 8))
    except Exception as error:  # noqa: BLE001 - what it raises has no common base of its own
        pytest.skip(f"onnxruntime {onnxruntime.__version__}: {str(error)[:200]}")


@pytest.fixture(scope="session")
def on_host(plain) -> Callable[..., tuple[Decoder, HostMemory, list[OrtRunner]]]:
    """Make a decoder over host memory; the runners it opened."""

    def made(way: Way = ROWS, graph=plain):
        memory, runners = HostMemory(), []

        def opened(context: int):
            profile, _ = profiles.decoder_profiles(way.ports(graph)[0], context)
            runners.append(OrtRunner(way.rewritten(graph, profile)))
            return runners[-1] if way is ROWS else Replaying(runners[-1], memory)

        return Decoder(graph, way, memory, opened), memory, runners

    return made


@pytest.fixture
def host_engine(monkeypatch) -> list[tuple[Source, tuple]]:
    """The engine trt with host memory and onnxruntime in the place of a GPU and TensorRT.

    Everything else is its own. Gives what engines were asked for.
    """
    asked: list[tuple[Source, tuple]] = []
    device = cudadriver.Device(name="no GPU", sm=86, integrated=False)
    driver = cudadriver.Driver(cuda=(13, 0), devices=(device,))
    door = library.Library(name=library.RTX, version="1.7.1", trt=None)

    def runner(_self, source, wanted):
        asked.append((source, wanted))
        path, way = source.graph.path, source.way
        rewritten = source.is_decoder and way.rewritten(source.graph, wanted[0])
        return OrtRunner(rewritten or path.read_bytes()), Stored(path=path, profiles=wanted)

    monkeypatch.setattr(cudadriver, "probe", lambda _engine: driver)
    monkeypatch.setattr(library, "load", lambda *_: door)
    monkeypatch.setattr(trt, "runtime", lambda: None)
    monkeypatch.setattr(trt, "CudaMemory", HostMemory)
    monkeypatch.setattr(trt.TrtGraphs, "_runner", runner)
    return asked
