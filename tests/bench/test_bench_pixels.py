"""The pixel path against torchvision v2, swscale and PIL: one thread each, best of several rounds.

Whole path: planes -> float32 [3, h, w], ours in one pass, theirs swscale's rgb24 + antialiased
uint8 resize on a channels-last tensor + normalise. Targets: exact 1.0 x, fast 1.8 x torchvision.
``resize only`` starts from rgb24. Rounds alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import pixels
from edgeval.types import Picture

torch = pytest.importorskip("torch")
image_module = pytest.importorskip("PIL.Image")

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
SHAPES = {
    "720p": ((720, 1280), (364, 644)),
    "1080p": ((1080, 1920), (364, 644)),
    "360p": ((360, 640), (280, 476)),
}
TARGETS = {"exact": 1.0, "fast": 1.8}


@pytest.fixture(scope="module")
def functional() -> Iterator[ModuleType]:
    """torchvision.transforms.v2.functional, one thread, also without its C extension."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("torchvision is not installed")
    threads, library = torch.get_num_threads(), None
    try:
        import torchvision.transforms.v2.functional as found
    except RuntimeError:
        source = Path(spec.submodule_search_locations[0], "_meta_registrations.py").read_text()
        library = torch.library.Library("torchvision", "DEF")
        for name in sorted(set(re.findall(r'"(?:torchvision::)?(\w+)"\)\n(?:@|def)', source))):
            library.define(f"{name}(Tensor a) -> Tensor")
        import torchvision.transforms.v2.functional as found
    torch.set_num_threads(1)
    yield found
    torch.set_num_threads(threads)
    del library


def footage(shared: Path, height: int, width: int) -> av.VideoFrame:
    with av.open(str(shared / "videos" / "real" / "moviepy_big_buck_bunny_0_30.webm")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == 100:
                return frame.reformat(width=width, height=height, format="yuv420p")
    raise AssertionError("the clip has less than 101 frames")


def picture_of(frame: av.VideoFrame) -> Picture:
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, -1) for plane in frame.planes]
    cut = [rows[:, : plane.width] for rows, plane in zip(planes, frame.planes, strict=True)]
    return Picture(planes=tuple(cut), rgb=None, full_range=frame.color_range == 2)


def best_ms(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: 1000 * min(taken) for name, taken in times.items()}


@pytest.mark.parametrize("kernel", [name for name in pixels.kernel_paths() if name != "scalar"])
@pytest.mark.parametrize("shape", SHAPES)
def test_pixel_path(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    shared: Path,
    functional: ModuleType,
    shape: str,
    kernel: str,
) -> None:
    (height, width), (to_height, to_width) = SHAPES[shape]
    frame, reformatter = footage(shared, height, width), VideoReformatter()
    picture, rgb = picture_of(frame), np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
    mean, std = (torch.tensor(x).view(3, 1, 1) * 255.0 for x in (MEAN, STD))
    bicubic = functional.InterpolationMode.BICUBIC
    size = [to_height, to_width]

    def torchvision_resize(image: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(image).permute(2, 0, 1)
        return functional.resize(tensor, size, bicubic, antialias=True)

    def torchvision() -> np.ndarray:
        image = reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        return torchvision_resize(image).to(torch.float32).sub_(mean).div_(std).numpy()

    def pil_resize() -> np.ndarray:
        bicubic_pil = image_module.Resampling.BICUBIC
        return np.asarray(image_module.fromarray(rgb).resize((to_width, to_height), bicubic_pil))

    def ours(mode: pixels.Mode) -> pixels.Pixels:
        sizes = ((to_height, to_width),)
        recipe = pixels.Recipe(sizes=sizes, mode=mode, norm=(MEAN, STD), kernel=kernel)
        return pixels.see(picture, recipe)

    def ours_resize(mode: pixels.Mode) -> np.ndarray:
        to = {"height": to_height, "width": to_width}
        return pixels.resize(rgb, resample="bicubic", mode=mode, kernel=kernel, **to)

    np.testing.assert_array_equal(ours("exact"), torchvision())
    if not benchmark.enabled:
        benchmark(ours, "exact")
        return
    calls: dict[str, Callable[[], object]] = {
        "torchvision": torchvision,
        "exact": lambda: ours("exact"),
        "fast": lambda: ours("fast"),
        "torchvision resize": lambda: torchvision_resize(rgb),
        "PIL resize": pil_resize,
        "exact resize": lambda: ours_resize("exact"),
        "fast resize": lambda: ours_resize("fast"),
    }
    ms = best_ms(calls, rounds=30)
    benchmark.pedantic(ours, args=("exact",), rounds=10, warmup_rounds=2)
    benchmark.extra_info |= {"kernel": kernel, "ms": ms}
    for mode, target in TARGETS.items():
        whole = ms["torchvision"] / ms[mode]
        benchmark.extra_info[f"{mode}: torchvision / ours"] = whole
        benchmark.extra_info[f"{mode}: torchvision resize / ours"] = (
            ms["torchvision resize"] / ms[f"{mode} resize"]
        )
        benchmark.extra_info[f"{mode}: PIL resize / ours"] = ms["PIL resize"] / ms[f"{mode} resize"]
        at_least(f"{kernel}, {mode}, whole path: torchvision / ours", whole, target)
