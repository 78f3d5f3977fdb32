"""The table: what it says of what was found, and of what was not."""

from __future__ import annotations

from gpu_check import table, targets
from gpu_check.results import Results


def test_the_table_says_it_all(result: Results) -> None:
    said = table.text(result.read())
    for line in (
        "GPU check 2030-01-02: NVIDIA Made Up (sm_90), driver 580.1 (CUDA 13.0)",
        "  cuda: 20 passed, 1 failed, 1 skipped",
        "    test_x[cuda-fp32]: wrong",
        "  trt: refused: engine trt: no tensorrt",
        "  copy 4 TB/s",
        "  fp16 product 800 TFLOP/s",
        "  cuda, kept in float32: 2 layers",
        "  cuda, of the fp16 product's rate: prefill 10 %, vision 10 %",
        "  cuda and transformers_eager: the first 2 tokens of 4 are equal",
        "  18 questions, cuda: 1 s",
        "  smolvlm, cuda fp16 ort: 63 of 64 tokens, max |dlogit| 0.01 (std 0.3) OUTSIDE ITS "
        "TOLERANCE",
        "  qwen2_vl, all: failed: RuntimeError: no",
        "rtx: refused: engine trt: no tensorrt_rtx",
        "speed-trt: failed: ended by SIGSEGV: it said nothing",
        "  trt-inplace: decode steps are replayed as a CUDA graph",
    ):
        assert line in said.splitlines()
    cells = [line.split() for line in said.splitlines()]
    # 4e9 bytes at 4e12 a second are 1 ms of the 2 and of the 5 that steps took.
    assert ["cuda", "100.0", "500.0", "50", "%", "400.0", "6", "50"] in cells
    assert ["transformers_eager", "100.0", "200.0", "20", "%", "400.0", "6", "50"] in cells


def test_targets_are_told_met_and_missed(result: Results) -> None:
    found = result.read()["parts"]["speed"]["found"]
    decode, questions = targets.verdicts(found, "cuda")
    assert (decode.got, decode.met) == (2.5, True)
    assert (questions.got, questions.met) == (6.0, False)
    said = table.text(result.read())
    assert "2.50 (target 2: met)" in said
    assert "6.00 (target 8: MISSED)" in said


def test_a_run_that_was_killed_is_a_table_too(result: Results) -> None:
    found = result.read()
    found["parts"] = {"speed": {"status": "running", "found": {"checkpoint_s": 3.0}}}
    assert "speed: running" in table.text(found)


def test_a_rehearsal_is_never_taken_for_a_gpu(result: Results) -> None:
    found = result.read()
    found["facts"]["rehearsal"] = True
    assert table.text(found).startswith("REHEARSAL on the CPU")
