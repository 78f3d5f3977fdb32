"""What the device can do at most, as measured on it: bytes copied, products in float16."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from gpu_check.job import Job

# Bytes of a copied buffer and rows of a square matrix: several times any cache, and not much more.
BYTES, ROWS = 4 << 30, 8192
TINY_BYTES, TINY_ROWS = 1 << 20, 128
REPEATS = 20


def run(job: Job) -> None:
    """Both limits."""
    tiny = job.size == "tiny"
    job.put("copy_bytes_a_s", copy_rate(job.device, TINY_BYTES if tiny else BYTES))
    job.put("fp16_flops", product_rate(job.device, TINY_ROWS if tiny else ROWS))


def copy_rate(device: str, n_bytes: int) -> float:
    """Bytes read and written a second by a copy inside the device, median of the repeats."""
    source = torch.randint(0, 255, (n_bytes,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * n_bytes / typical_s(lambda: target.copy_(source), device)


def product_rate(device: str, rows: int) -> float:
    """Operations a second of a square product in float16, of random numbers (zeros are faster)."""
    left = torch.randn(rows, rows, device=device).half()
    right = torch.randn(rows, rows, device=device).half()
    out = torch.empty_like(left)
    return 2 * rows**3 / typical_s(lambda: torch.mm(left, right, out=out), device)


def typical_s(work: Callable[[], object], device: str, repeats: int = REPEATS) -> float:
    """Median seconds of the work, the device waited for before and after each; three to warm up."""
    took: list[float] = []
    for number in range(repeats + 3):
        settle(device)
        start = time.perf_counter()
        work()
        settle(device)
        if number >= 3:
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def settle(device: str) -> None:
    """Wait until the device has done all it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
