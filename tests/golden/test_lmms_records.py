"""Records of real lmms-eval runs of InternVL and LLaVA-OneVision, by ``edgeval run`` itself.

The checkpoints have random weights, so only equality counts. Source: ../shared/e2e (lmms-eval
0.7.3, transformers 5.23.0 and torch 2.13.0 on a CPU, float32; llava_hf with --force_simple).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgeval.cli.run import command

pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_RECORDS = 20
# Below this the two best tokens are as good as equal, and rounding chooses.
NEAR_TIE = 1e-3
Row = Mapping[str, Any]


@pytest.fixture(scope="module", params=["internvl", "llava_onevision"])
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def records(shared: Path, family: str) -> list[Row]:
    text = (shared / f"e2e/records/{family}-vsibench.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def data(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published rows with the clips that stood for their videos."""
    root = tmp_path_factory.mktemp("data")
    for path in (shared / "e2e/VSI-Bench").glob("*.parquet"):
        shutil.copyfile(path, root / path.name)
    wired = json.loads((shared / "e2e/videos.json").read_text("utf-8"))
    for name, clip in wired.items():
        target = root / Path(name).relative_to("hf_home/vsibench")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / "e2e" / clip, target)
    return root


@pytest.fixture(scope="module")
def traced(
    shared: Path, hf: None, family: str, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Row]:
    """What our run of our export traced, by row."""
    from edgeval.export.folder import Plan, export

    output = tmp_path_factory.mktemp(family)
    export(
        Plan(
            checkpoint=shared / "e2e/ckpt" / family,
            output=output / "model",
            precision="fp32",
            flavour="plain",
            name="records",
            source="random weights",
            licence="unknown",
        )
    )
    told = {
        "--protocol": "lmms-eval",
        "--frames": "8",
        "--limit": "30",
        "--data": str(data),
        "--model": str(output / "model"),
        "--trace": str(output / "trace.jsonl"),
        "--output": str(output / "run"),
    }
    options = [word for pair in told.items() for word in pair]
    # Rows 5 to 9 and 15 to 19 ask about videos that were not recorded.
    CliRunner().invoke(command, ["vsibench", "--keep-going", *options], catch_exceptions=False)
    lines = (output / "trace.jsonl").read_text("utf-8").splitlines()
    rows = map(json.loads, lines)
    return {row["doc_key"]: row for row in rows}


def wanted(record: Row) -> dict[str, object]:
    video = record["videos"][0]
    pixels = [v for k, v in record["tensors"].items() if k.startswith("pixel_values")]
    return {
        "frame_indices": video["frame_indices"],
        "frames_sha256": video["frames_sha256"],
        "pixel_sha256": pixels[0]["sha256"],
        "prompt": record["prompt"],
        "input_ids": [token for token, n in record["input_ids_rle"] for _ in range(n)],
        "generated_ids": record["generated_ids"],
        "response": record["response"],
        "score": record["score"]["value"],
    }


def differing(records: list[Row], traced: Mapping[str, Row], field: str) -> list[str]:
    return [
        record["doc_key"]
        for record in records
        if traced[record["doc_key"]][field] != wanted(record)[field]
    ]


def test_all_records_are_there(records):
    assert len(records) == N_RECORDS


@pytest.mark.parametrize(
    "field", ["frame_indices", "frames_sha256", "pixel_sha256", "prompt", "input_ids"]
)
def test_what_the_model_is_given_is_what_was_recorded(records, traced, field):
    assert differing(records, traced, field) == []


@pytest.mark.parametrize("field", ["generated_ids", "response", "score"])
def test_what_the_model_says_is_what_was_recorded(records, traced, field):
    clear = [record for record in records if record["min_margin"] >= NEAR_TIE]
    assert differing(clear, traced, field) == []
