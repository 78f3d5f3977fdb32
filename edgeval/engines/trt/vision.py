"""Graphs that run once a call with inputs of any size: the vision tower, a table of embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from edgeval.engines import Array, Floats
from edgeval.engines.trt.executing import Runner
from edgeval.engines.trt.graphfile import Port
from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import Profile
from edgeval.errors import EngineError

Opened = Callable[[Profile], tuple[Runner, Profile]]
Planned = Callable[[Mapping[str, Array], Profile | None], Profile]


class Whole:
    """Runs of one graph.

    ``plan``: the profile for feeds and for what was planned before; ``opened``: a runner that
    covers a profile, and the profile that it has.
    """

    def __init__(
        self,
        inputs: Mapping[str, Port],
        outputs: Mapping[str, Port],
        memory: Memory,
        plan: Planned,
        opened: Opened,
    ) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._memory = memory
        self._plan, self._opened = plan, opened
        self._runner: Runner | None = None
        self._profile: Profile | None = None

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Floats]:
        """Every output as float32, by name. EngineError for an input that is not fed."""
        if missing := [name for name in self._inputs if name not in feeds]:
            raise EngineError(f"engine trt: a graph takes {missing[0]}, which nothing gives")
        runner = self._covering(feeds)
        ready = {
            name: np.ascontiguousarray(feeds[name], port.dtype)
            for name, port in self._inputs.items()
        }
        hosted = {name: array for name, array in ready.items() if runner.hosted(name)}
        shapes = {name: array.shape for name, array in ready.items()}
        sizes = runner.shape(0, shapes, hosted)
        made = {name: np.zeros(sizes[name], port.dtype) for name, port in self._outputs.items()}
        addresses: dict[str, int] = {}
        try:
            for name, array in {**ready, **made}.items():
                if name not in hosted:
                    addresses[name] = self._memory.allocate(array.nbytes)
                    if name in ready:
                        self._memory.upload(addresses[name], array)
            runner.run(0, addresses)
            for name, array in made.items():
                self._memory.download(addresses[name], array)
        finally:
            for address in addresses.values():
                self._memory.free(address)
        return {name: np.asarray(array, np.float32) for name, array in made.items()}

    def close(self) -> None:
        """Free the runner."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _covering(self, feeds: Mapping[str, Array]) -> Runner:
        wanted = self._plan(feeds, None)
        if self._runner is None or self._profile is None or not self._profile.covers(wanted):
            if self._profile is not None:
                wanted = self._plan(feeds, self._profile)
            self.close()
            self._runner, self._profile = self._opened(wanted)
        return self._runner
