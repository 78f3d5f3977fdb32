"""One engine made, in this process: parse, profiles, build. ``child`` runs it in one of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeval.engines.trt import api
from edgeval.engines.trt.library import RTX, Library, Listener, born, derived, listener
from edgeval.engines.trt.profiles import Profile
from edgeval.errors import EngineError

Tell = Callable[[str, int, int], None]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What to make, and where to.

    ``model``: the ONNX model as bytes; ``path``: beside which its weights are; ``sm``: the compute
    capability; ``memory``: bytes that the build may use on the device, 0 for all; ``timing``: the
    timing cache of this library version and device.
    """

    model: bytes
    path: Path
    profiles: tuple[Profile, ...]
    sm: int
    memory: int
    timing: Path
    output: Path


def make(library: Library, making: Making, tell: Tell) -> None:
    """Write the engine. ``tell``: phase, step, steps. EngineError with what TensorRT objects to."""
    trt, heard = library.trt, listener(library.trt)
    builder = born(trt.Builder, heard, "it makes no builder")
    network = _given(
        builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)),
        heard.cause("it makes no network"),
    )
    parser = trt.OnnxParser(network, heard.logger)
    if not parser.parse(making.model, str(making.path)):
        raise EngineError(_parse_error(parser, heard))
    config = _given(builder.create_builder_config(), heard.cause("it makes no configuration"))
    # float32 is float32: what is faster and less right is the exporter's to say (fp16).
    config.clear_flag(trt.BuilderFlag.TF32)
    if making.memory:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, making.memory)
    for profile in making.profiles:
        index = config.add_optimization_profile(_profile(builder, network, profile))
        if index < 0:
            raise EngineError(heard.cause(f"profile {profile.name} is not taken"))
    if library.name == RTX:
        library.aim(config, making.sm)
    _recall(config, making.timing)
    config.progress_monitor = _monitor(library, tell)
    engine = _given(
        builder.build_serialized_network(network, config),
        heard.cause("the build gives nothing and says nothing"),
        heard,
    )
    making.output.write_bytes(engine)
    _remember(config, making.timing)


def _given(made: Made | None, otherwise: str, heard: Listener | None = None) -> Made:
    if made is None:
        raise EngineError(heard.cause(otherwise) if heard else otherwise)
    return made


def _parse_error(parser: api.OnnxParser, heard: Listener) -> str:
    if parser.num_errors == 0:
        return heard.cause("the parser takes it not and does not say why")
    error = parser.get_error(0)
    return f"{error.node_operator()} {error.node_name()}: {error.desc()}"


def _profile(
    builder: api.Builder, network: api.INetworkDefinition, profile: Profile
) -> api.IOptimizationProfile:
    made = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        name = _given(network.get_input(index), f"input {index} is not there").name
        if name in profile.shapes:
            sizes = profile.shapes[name]
            made.set_shape(name, sizes.low, sizes.best, sizes.high)
        elif name in profile.values:
            values = profile.values[name]
            made.set_shape_input(name, values.low, values.best, values.high)
        else:
            raise EngineError(f"profile {profile.name} says nothing of {name}")
    return made


def _recall(config: api.IBuilderConfig, timing: Path) -> None:
    """Take over what was measured before; another device's or version's is not taken."""
    content = timing.read_bytes() if timing.is_file() else b""
    cache = config.create_timing_cache(content)
    if cache is not None:
        config.set_timing_cache(cache, False)  # noqa: FBT003 - its own signature


def _remember(config: api.IBuilderConfig, timing: Path) -> None:
    cache = config.get_timing_cache()
    content = cache.serialize() if cache is not None else None
    if content is not None:
        draft = timing.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(timing)


def _monitor(library: Library, tell: Tell) -> object:
    """A progress monitor that tells of every step and never stops the build."""
    sizes: dict[str, int] = {}

    def phase_start(_self: object, name: str, _parent: str | None, n_steps: int) -> None:
        sizes[name] = n_steps
        tell(name, 0, n_steps)

    def step_complete(_self: object, name: str, step: int) -> bool:
        tell(name, step + 1, sizes.get(name, 0))
        return True

    def phase_finish(_self: object, name: str) -> None:
        sizes.pop(name, None)

    return derived(
        "Monitor",
        library.trt.IProgressMonitor,
        phase_start=phase_start,
        step_complete=step_complete,
        phase_finish=phase_finish,
    )()
