"""The float32 resize against the function of torch that it equals bit for bit: one thread each."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval import floatresize

torch = pytest.importorskip("torch")

SHAPES = {
    "720p": ((720, 1280), (364, 644)),
    "1080p": ((1080, 1920), (364, 644)),
    "360p": ((360, 640), (280, 476)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_float_resize(
    at_least: Callable[[str, float, float], None], benchmark: BenchmarkFixture, shape: str
) -> None:
    size, (height, width) = SHAPES[shape]
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def theirs() -> np.ndarray:
        values = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        out = torch.nn.functional.interpolate(
            values, size=(height, width), mode="bicubic", antialias=True
        )
        return out.clamp(0, 255).round().to(torch.uint8)[0].permute(1, 2, 0).numpy()

    def ours() -> np.ndarray:
        return floatresize.resize(image, height=height, width=width)

    try:
        np.testing.assert_array_equal(ours(), theirs())
        if not benchmark.enabled:
            benchmark(ours)
            return
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(20):
            for name, call in (("ours", ours), ("theirs", theirs)):
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    benchmark.pedantic(ours, rounds=5, warmup_rounds=1)
    ratio = min(times["theirs"]) / min(times["ours"])
    benchmark.extra_info["torch / ours"] = ratio
    at_least(f"{shape}, float32: torch / ours", ratio, 1.0)
