"""A result as a GPU would leave it; its figures are made up, and say so by their roundness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpu_check.parts import PARTS
from gpu_check.results import Results

FACTS = {
    "date": "2030-01-02",
    "started": "2030-01-02T03:04:05+00:00",
    "rehearsal": False,
    "commit": "0123456789ab",
    "python": "3.12.3",
    "system": "Linux",
    "packages": {"torch": "2.11.0", "onnxruntime-gpu": "1.30.0"},
    "minutes": 9.0,
    "device": "NVIDIA Made Up",
    "sm": 90,
    "driver_cuda": "13.0",
    "driver": "580.1",
}


def measured(rate: float, ids: list[int]) -> dict[str, Any]:
    return {
        "first_token_s": 0.1,
        "vision_s": 0.04,
        "prefill_s": 0.06,
        "step_s": 1 / rate,
        "tokens_a_s": rate,
        "vision_frames_a_s": 400.0,
        "token_ids": ids,
        "joules_an_answer": 50.0,
        "watts": 300.0,
        "peak_bytes": 6_000_000_000,
    }


@pytest.fixture
def result(tmp_path: Path) -> Results:
    """Every part, one of them ended by a signal, one refused."""
    parts = tuple(part.name for part in PARTS)
    made = Results(tmp_path / "2030-01-02-made-up.json")
    made.start(dict(FACTS), parts)
    bad = {"passed": 20, "failed": 1, "skipped": 1, "failures": ["test_x[cuda-fp32]: wrong"]}
    made.put("conformance", "cuda", bad)
    made.put("conformance", "trt", {"refused": "engine trt: no tensorrt"})
    made.put("limits", "copy_bytes_a_s", 4e12)
    made.put("limits", "fp16_flops", 8e14)
    made.put("speed", "checkpoint_s", 30.0)
    sizes = {"step_bytes": 4e9, "prefill_flops": 4.8e12, "vision_flops": 3.2e12}
    made.put("speed", "sizes", sizes)
    made.put("speed", "graphs_cuda_kept", {"fp32_layers": "a.o, b.o", "fp32_scores": False})
    made.put("speed", "cuda", measured(500, [1, 2, 3, 4]))
    made.put("speed", "questions_cuda", {"from_file_s": 1.0, "from_frames_s": 0.9, "n": 18})
    made.put("speed", "transformers_eager", measured(200, [1, 2, 9, 4]))
    made.put("speed", "questions_eager", {"from_file_s": 6.0, "from_pixels_s": 5.0, "n": 18})
    one = {"tokens": 64, "equal_tokens": 63, "max_abs_dlogit": 0.01, "logit_std": 0.3}
    made.put("parity", "smolvlm", {"cuda fp16 ort": {**one, "holds": False}})
    made.put("parity", "qwen2_vl", {"all": {"failed": "RuntimeError: no"}})
    for part in parts[:4]:
        made.mark(part, "done", why="", seconds=1.0)
    made.mark("rtx", "refused", why="engine trt: no tensorrt_rtx")
    made.put("speed-trt-inplace", "trt-inplace", measured(700, [1, 2, 3, 4]))
    said = ["built in 9 s", "decode steps are replayed as a CUDA graph"]
    made.put("speed-trt-inplace", "told_trt-inplace", said)
    made.mark("speed-trt-inplace", "done")
    made.mark("speed-trt", "failed", why="ended by SIGSEGV: it said nothing")
    return made
