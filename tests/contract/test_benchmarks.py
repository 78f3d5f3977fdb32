"""Every registered benchmark keeps the promises of ``edgeval.benchmarks.base``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval import benchmarks
from edgeval.benchmarks.base import Benchmark
from edgeval.cli.main import cli
from edgeval.errors import UnknownName
from edgeval.types import Clip, Failure, Record

ANSWERS = ("", "A", "(B)", "the answer is C", "12", "<think>A</think> B", "\ud800", "no idea")
GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module", params=sorted(benchmarks.MODULES))
def bench(request: pytest.FixtureRequest) -> Benchmark:
    return benchmarks.load(request.param)


@pytest.fixture(scope="module")
def embedded(bench: Benchmark) -> list[Clip]:
    if bench.embedded is None or not bench.embedded.is_dir():
        pytest.skip(f"{bench.name} carries no data")
    return list(bench.clips(bench.embedded, bench.settings, ()))


def _failed(clip: Clip, message: str) -> list[Record]:
    failure = Failure(kind="model", message=message)
    return [
        Record(question=question, setting=clip.setting, failure=failure)
        for question in clip.questions
    ]


def test_its_name_and_lists_are_consistent(bench: Benchmark) -> None:
    assert benchmarks.load(bench.name) is bench
    assert len(set(bench.tasks)) == len(bench.tasks)
    assert set(bench.default_settings) <= set(bench.settings)
    assert bench.rules


def test_list_tells_splits_counts_rules_licence_and_references(bench: Benchmark) -> None:
    told = CliRunner().invoke(cli, ["list", bench.name]).stdout
    assert bench.published
    assert bench.references
    for each in (bench.published, bench.licence, bench.source, *bench.settings, *bench.tasks):
        assert each in told
    assert f"rules: {', '.join(bench.rules)}" in told
    assert all(reference.name in told for reference in bench.references)


def test_clips_come_the_same_twice_with_unique_questions(
    bench: Benchmark, embedded: list[Clip]
) -> None:
    assert bench.embedded is not None
    assert list(bench.clips(bench.embedded, bench.settings, ())) == embedded
    ids = [question.id for clip in embedded for question in clip.questions]
    assert len(set(ids)) == len(ids)
    assert {question.task for clip in embedded for question in clip.questions} <= set(bench.tasks)


def test_every_question_gets_a_prompt(bench: Benchmark, embedded: list[Clip]) -> None:
    asks = [bench.ask(clip, question) for clip in embedded for question in clip.questions]
    assert all(ask.text and ask.max_new_tokens >= 1 for ask in asks)


def test_scores_are_pure_in_range_and_under_every_rule(
    bench: Benchmark, embedded: list[Clip]
) -> None:
    for question in embedded[0].questions:
        for answer in ANSWERS:
            scores = bench.score(question, answer)
            assert scores == bench.score(question, answer)
            assert tuple(score.rule for score in scores) == bench.rules
            assert all(score.value is None or 0 <= score.value <= 1 for score in scores)
            json.dumps([score.parsed for score in scores], allow_nan=False)


def test_failures_stay_in_n_and_are_worth_nothing(bench: Benchmark, embedded: list[Clip]) -> None:
    records = [record for clip in embedded[:4] for record in _failed(clip, "gone")]
    told = bench.report(records)
    figures = {(figure.name, figure.rule, figure.group): figure for figure in told.figures}
    assert told.headline
    for key in told.headline:
        assert figures[key].n_failed > 0
        assert not figures[key].value


def test_a_report_on_nothing_does_not_crash(bench: Benchmark) -> None:
    assert bench.report([]).benchmark == bench.name


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean videommmu"):
        benchmarks.load("video_mmmu")


def test_names_import_no_benchmark(tmp_path: Path) -> None:
    code = (
        "import sys; from edgeval import benchmarks; benchmarks.names(); "
        "print([m for m in sys.modules if m in benchmarks.MODULES.values()])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("seed", ["0", "1"])
def test_scores_do_not_depend_on_locale_or_hash_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: str
) -> None:
    golden = json.loads((GOLDEN / "videommmu.json").read_text(encoding="utf-8"))
    lines = [
        json.dumps({"uid": n, "doc": golden["docs"][row["doc"]], "response": row["response"]})
        for n, row in enumerate(golden["rows"])
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    plain = _scored(tmp_path, "plain")
    # Turkish lower-cases I without a dot where a locale is asked; ours must not ask.
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    assert _scored(tmp_path, "odd") == plain


def _scored(folder: Path, name: str) -> bytes:
    arguments = ["score", "videommmu", str(folder / "in.jsonl"), "-o", str(folder / name)]
    command = [sys.executable, "-m", "edgeval", *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return (folder / name).read_bytes()
