"""C++ kernels. Imported by the doors that tests/gate/test_layout.py names only.

Arrays are taken as they are: a wrong dtype is a TypeError, a wrong shape or layout ArgumentError.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Frame rules (csrc/core/sample.hpp says whose each is).
MAX_FRAMES: int
MAX_PICKS: int

def linspace_floor(n_frames: int, k: int) -> NDArray[np.int64]: ...
def linspace_round(n_frames: int, k: int) -> NDArray[np.int64]: ...
def segment_midpoints(first: int, last: int, k: int) -> NDArray[np.int64]: ...
def segment_centres(n_frames: int, k: int) -> NDArray[np.int64]: ...
def stride(n_frames: int, k: int) -> NDArray[np.int64]: ...
def fps_count(
    n_frames: int, video_fps: float, *, fps: float, min_n: int, max_n: int, multiple: int
) -> int: ...
def smolvlm(
    n_frames: int, video_fps: float, duration_s: float, *, fps: float, max_n: int, skip_s: float
) -> NDArray[np.int64]: ...
def nested(n_frames: int, k: int) -> NDArray[np.int64]: ...
def shuffled(indices: NDArray[np.int64], seed: int) -> NDArray[np.int64]: ...

# Metrics (csrc/core/metrics.hpp, bootstrap.hpp).
def mean_relative_accuracy_float64(
    got: NDArray[np.float64], want: NDArray[np.float64]
) -> NDArray[np.float64]: ...
def mean_relative_accuracy_float32(
    got: NDArray[np.float64], want: NDArray[np.float64]
) -> NDArray[np.float64]: ...
def word_error_rates(got: Sequence[str], want: Sequence[str]) -> NDArray[np.float64]: ...
def rouge_n(
    got: Sequence[str], want: Sequence[str], *, order: int, stem: bool
) -> NDArray[np.float64]: ...
def rouge_l(got: Sequence[str], want: Sequence[str], *, stem: bool) -> NDArray[np.float64]: ...
def porter_stem(word: str) -> str: ...
def tally(
    groups: NDArray[np.int64], classes: NDArray[np.int64], *, n_groups: int, n_classes: int
) -> NDArray[np.int64]: ...
def bootstrap_sums(
    sums: NDArray[np.float64], *, seed: int, first: int, count: int
) -> NDArray[np.float64]: ...

# Rewards (csrc/core/rewards.hpp).
def ocr_rewards(got: Sequence[str], want: Sequence[str]) -> NDArray[np.float64]: ...
def free_form_rewards(got: Sequence[str], want: Sequence[str]) -> NDArray[np.float64]: ...
def temporal_rewards(
    ordered: NDArray[np.float64], shuffled: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def group_advantages(rewards: NDArray[np.float64]) -> NDArray[np.float64]: ...
def t_grpo(
    accuracy: NDArray[np.float64],
    form: NDArray[np.float64],
    shuffled: NDArray[np.float64] | None,
    n_tokens: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...

# --- pixels: see edgeval.pixels ---------------------------------------------------------------

class PixelResize:
    def __init__(
        self,
        source: tuple[int, int],
        target: tuple[int, int],
        resample: str,
        mode: str,
        kernel: str,
    ) -> None: ...

class PixelTarget:
    def __init__(
        self,
        layout: str,
        dtype: str,
        size: tuple[int, int],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        grid: tuple[int, int, int],
    ) -> None: ...

def pixels_paths() -> list[str]: ...
def pixels_takes(
    chroma: str, bit_depth: int, width: int, height: int, interlaced: bool
) -> bool: ...
def pixels_mixes_chroma(chroma: str, bit_depth: int, height: int, interlaced: bool) -> bool: ...
def pixels_yuv(
    planes: Sequence[NDArray[np.unsignedinteger]],
    bit_depth: int,
    colour: tuple[str, bool],
    site: tuple[int, int, bool],
    steps: Sequence[PixelResize],
    target: PixelTarget,
    out: NDArray[np.generic],
    slot: int,
    kernel: str,
) -> str: ...
def float_resize(
    image: NDArray[np.uint8],
    across: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]],
    down: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]],
    out: NDArray[np.uint8],
    kernel: str,
) -> str: ...
def pixels_rgb(
    image: NDArray[np.uint8],
    steps: Sequence[PixelResize],
    target: PixelTarget,
    out: NDArray[np.generic],
    slot: int,
    kernel: str,
) -> str: ...
