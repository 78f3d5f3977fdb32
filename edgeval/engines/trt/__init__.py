"""The engine "trt": TensorRT (Jetson, servers) or TensorRT for RTX, behind one door.

The engine "trt-inplace" is the same but for the way it keeps the cache (ways.py, inplace.py).

Engines are built when a run first needs them, or before it by ``edgeval build``, and kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeval import cudadriver, usercache
from edgeval.engines import Array, Context, Floats, GraphFiles, Graphs
from edgeval.engines.trt import building, library, profiles, rows, store
from edgeval.engines.trt.building import Source, Target
from edgeval.engines.trt.decoder import Decoder, RowsContext
from edgeval.engines.trt.executing import EngineRunner, Runner
from edgeval.engines.trt.memory import CudaMemory, runtime
from edgeval.engines.trt.profiles import DECODE, Profile
from edgeval.engines.trt.replaying import Replaying
from edgeval.engines.trt.vision import Planned, Whole
from edgeval.engines.trt.ways import ROWS, Way
from edgeval.errors import EngineError
from edgeval.modelfolder import onnxfile


def check(files: GraphFiles) -> str:
    """What would run the graphs; EngineError without driver or library, or for graphs not taken.

    The driver is asked first: without one, TensorRT's own objects end the process.
    """
    return checked(files, ROWS)


def open_graphs(files: GraphFiles) -> Graphs:
    """Open the three graphs; EngineError as in ``check``."""
    return opened(files, ROWS)


def checked(files: GraphFiles, way: Way) -> str:
    """``check`` of an engine."""
    found = cudadriver.probe(way.engine)
    target = here(found, library.load())
    way.check(target.library, _sources(files, target, way)[2].graph)
    runtime()
    return _title(found, target)


def opened(files: GraphFiles, way: Way) -> Graphs:
    """``open_graphs`` of an engine."""
    found = cudadriver.probe(way.engine)
    return TrtGraphs(files, found, here(found, library.load()), way)


def here(found: cudadriver.Driver, loaded: library.Library, root: Path | None = None) -> Target:
    """What engines for this machine are for; ``root``: their folder, None for the user's."""
    device = found.devices[0]
    return Target(
        library=loaded,
        sm=device.sm,
        # TensorRT measures on the device it builds for; TensorRT-RTX builds for all of a kind.
        device=device.name if loaded.name == library.FULL else "",
        shared_memory=device.integrated,
        root=default_root() if root is None else root,
    )


def default_root() -> Path:
    """The folder of engines."""
    return usercache.folder() / "engines"


def _title(found: cudadriver.Driver, target: Target) -> str:
    device = found.devices[0]
    return (
        f"{target.library.title} on {device.name} (sm_{device.sm}), "
        f"CUDA {found.cuda[0]}.{found.cuda[1]}"
    )


def _sources(files: GraphFiles, target: Target, way: Way) -> tuple[Source, Source, Source]:
    version = target.operator_version
    return (
        building.source("vision", files.vision, version),
        building.source("embed", files.embed, version),
        building.source("decoder", files.decoder, version, way),
    )


class TrtGraphs:
    """Graphs on TensorRT; every engine is opened when it is first needed."""

    def __init__(
        self, files: GraphFiles, found: cudadriver.Driver, target: Target, way: Way = ROWS
    ) -> None:
        self.version = _title(found, target)
        self._target = target
        vision, embed, decoder = _sources(files, target, way)
        way.check(target.library, decoder.graph)
        table = onnxfile.lookup_table(files.embed)
        # A plain view of the map is faster to index than the map.
        self._table = np.asarray(table if table is not None else 0)
        # An engine of TensorRT's runs as a whole on its device.
        self.placement = dict.fromkeys(("vision", "embedding", "decoder"), self.version)
        self.placement["decoder"] += f", {way.about}"
        if table is not None:
            self.placement["embedding"] = "a table read on the host"
        self._memory = CudaMemory()
        self._vision = self._whole(
            vision, lambda feeds, old: profiles.vision_profile(vision.ports()[0], feeds, old)
        )
        self._embedding = None
        if table is None:
            self._embedding = self._whole(
                embed,
                lambda feeds, _: profiles.tokens_profile(
                    embed.ports()[0], feeds["input_ids"].shape[1]
                ),
            )
        self._decoder = Decoder(
            decoder.graph, way, self._memory, lambda n: self._decoding(decoder, n)
        )

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        """See Graphs."""
        outputs = self._vision.run(feeds)
        # Published graphs have other names for their first output.
        first = next(iter(outputs.values()))
        return {**outputs, "image_features": first.reshape(-1, first.shape[-1])}

    def embed(self, token_ids: Sequence[int]) -> Floats:
        """See Graphs."""
        ids = np.asarray(token_ids, np.int64)
        if self._embedding is not None:
            found: Floats = self._embedding.run({"input_ids": ids[None]})["inputs_embeds"][0]
            return found
        return np.asarray(self._table[ids], np.float32)

    def start(self, capacity: int) -> Context:
        """See Graphs."""
        return RowsContext(self._decoder, lambda token: self.embed((token,)), capacity)

    def close(self) -> None:
        """See Graphs."""
        self._make_room()
        self._memory.close()

    def _make_room(self) -> None:
        """Free every engine; one that is needed again is opened again."""
        for part in (self._vision, self._embedding, self._decoder):
            if part is not None:
                part.close()

    def _whole(self, source: Source, plan: Planned) -> Whole:
        return Whole(
            *source.ports(), self._memory, plan, lambda wanted: self._opened(source, wanted)
        )

    def _opened(self, source: Source, wanted: Profile) -> tuple[Runner, Profile]:
        runner, stored = self._runner(source, (wanted,))
        return runner, stored.profiles[0]

    def _decoding(self, source: Source, context: int) -> Runner:
        """The decoder for a context."""
        wanted = profiles.decoder_profiles(source.ports()[0], context)
        runner, _ = self._runner(source, wanted)
        if source.way is ROWS or self._target.library.name == library.RTX:
            return runner
        return Replaying(runner, self._memory)

    def _runner(self, source: Source, wanted: tuple[Profile, ...]) -> tuple[Runner, store.Stored]:
        stored = building.engine(self._target, source, wanted, self._make_room)
        kept = source.is_decoder and source.way is not ROWS
        runner = EngineRunner(
            self._target.library,
            store.load(stored),
            source.role,
            self._memory,
            graphed=DECODE if kept and self._target.library.name == library.RTX else None,
        )
        for cache in rows.caches(source.graph) if kept else ():
            if runner.shared(cache.present) != cache.past:
                raise EngineError(
                    f"engine {source.way.engine}: the engine built does not keep {cache.past} in "
                    f"place; use --engine {ROWS.engine}"
                )
        return runner, stored
