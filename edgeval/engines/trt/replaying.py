"""Decode steps as a CUDA graph: recorded once, then one launch a token in place of hundreds.

A graph holds shapes and addresses, so this is for engines whose cache is of one length.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from edgeval.engines import Array
from edgeval.engines.trt.executing import Runner
from edgeval.engines.trt.memory import Memory
from edgeval.engines.trt.profiles import DECODE, Sizes
from edgeval.errors import EngineError


class Replaying:
    """See Runner. What it is told of the decode profile twice in a row is replayed from then on.

    The first run on new memory is run as it is: TensorRT has work to do before the first run that
    must not be recorded. Where a step cannot be recorded, all are run as they are, and the log says
    why.
    """

    def __init__(self, runner: Runner, memory: Memory) -> None:
        self._runner = runner
        self._memory = memory
        self._able = True
        self._told = False
        self._asked: tuple[Mapping[str, Sizes], Mapping[str, bytes]] | None = None
        self._sizes: Mapping[str, Sizes] = {}
        self._addresses: Mapping[str, int] = {}
        self._graph: int | None = None

    def hosted(self, name: str) -> bool:
        """See Runner."""
        return self._runner.hosted(name)

    def shape(
        self, profile: int, shapes: Mapping[str, Sizes], hosted: Mapping[str, Array]
    ) -> Mapping[str, Sizes]:
        """See Runner. What was said the last time is not said again."""
        if profile != DECODE:
            return self._runner.shape(profile, shapes, hosted)
        asked = (dict(shapes), {name: array.tobytes() for name, array in hosted.items()})
        if asked != self._asked:
            self._forget()
            self._asked = asked
            self._sizes = self._runner.shape(profile, shapes, hosted)
        return self._sizes

    def run(self, profile: int, addresses: Mapping[str, int]) -> None:
        """See Runner."""
        if profile != DECODE or not self._able:
            self._runner.run(profile, addresses)
            return
        if addresses != self._addresses:
            self._forget()
            self._addresses = dict(addresses)
            self._runner.run(profile, addresses)
            return
        if self._graph is None:
            self._graph = self._recorded()
        if self._graph is None:
            self._runner.run(profile, addresses)
        else:
            self._memory.replay(self._graph)

    def close(self) -> None:
        """See Runner."""
        self._forget()
        self._runner.close()

    def _recorded(self) -> int | None:
        try:
            graph = self._memory.recorded(lambda: self._runner.run(DECODE, self._addresses))
        except EngineError as error:
            self._able = False
            logging.getLogger("edgeval.trt").warning("decode steps are not replayed: %s", error)
            return None
        if not self._told:
            self._told = True
            logging.getLogger("edgeval.trt").info("decode steps are replayed as a CUDA graph")
        return graph

    def _forget(self) -> None:
        """Addresses too: the next run is as the first."""
        self._addresses = {}
        if self._graph is not None:
            self._memory.forget(self._graph)
            self._graph = None
