"""Every benchmark by name. A name costs nothing; ``load`` imports the one module asked for.

Other packages add theirs through the entry point group ``edgeval.benchmarks``: the entry's name is
the benchmark's, its value a module that holds BENCHMARK, or ``module:NAME`` of the value itself.
"""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType, ModuleType

from edgeval.benchmarks.base import Benchmark
from edgeval.errors import ArgumentError, UnknownName

GROUP = "edgeval.benchmarks"
MODULES = MappingProxyType(
    {
        "videommmu": "edgeval.benchmarks.videommmu",
        "vsibench": "edgeval.benchmarks.vsibench",
        "mvbench": "edgeval.benchmarks.mvbench",
        "tempcompass": "edgeval.benchmarks.tempcompass",
        "videomme": "edgeval.benchmarks.videomme",
        "seedbench-r1": "edgeval.benchmarks.seedbench_r1",
        "longvideobench": "edgeval.benchmarks.longvideobench",
        "mmvu": "edgeval.benchmarks.mmvu",
        "video-r1": "edgeval.benchmarks.video_r1",
    }
)


def names() -> tuple[str, ...]:
    """Our benchmarks, then those of other packages, without importing any."""
    return (*MODULES, *sorted(set(_entries()) - set(MODULES)))


def load(name: str) -> Benchmark:
    """The benchmark of that name.

    Raises UnknownName for one that nobody has and ArgumentError for an entry point that does not
    lead to a benchmark.
    """
    if name in MODULES:
        return _benchmark(name, importlib.import_module(MODULES[name]))
    entries = _entries()
    if name not in entries:
        raise UnknownName("benchmark", name, names())
    try:
        return _benchmark(name, entries[name].load())
    except (ImportError, AttributeError) as error:
        raise ArgumentError(
            f"benchmark {name!r}: its entry point {entries[name].value!r} cannot be imported "
            f"({error}); repair or uninstall the package that brings it"
        ) from error


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _benchmark(name: str, found: object) -> Benchmark:
    value = getattr(found, "BENCHMARK", None) if isinstance(found, ModuleType) else found
    if not isinstance(value, Benchmark):
        raise ArgumentError(
            f"benchmark {name!r}: got {type(value).__name__} behind its name; wants a module with "
            "BENCHMARK, an edgeval.benchmarks.base.Benchmark"
        )
    return value
