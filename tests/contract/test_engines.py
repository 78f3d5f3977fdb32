"""What every engine must do, on the model that the package carries; one that cannot run is skipped.

The reason is printed with the skip. On a board, EDGEVAL_REQUIRE_ENGINES=cuda,trt turns skips of
those engines into failures. What only onnxruntime's CPU provider promises, equal bits, is tested in
tests/unit/engines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeval import engines, model, runcard
from edgeval.engines import Context, GraphFiles, Graphs
from edgeval.errors import EdgevalError, EngineError
from edgeval.modelfolder import manifest
from edgeval.run import execute
from edgeval.runfolder.journal import Journal
from edgeval.runspec import Spec
from edgeval.types import Record

REFERENCE = "cpu"
PRECISIONS = ("fp32", "q4")
WIDTH, VOCABULARY = 128, 1032
# Of float32 on another machine; logits of the carried model have a standard deviation of 3.
TOLERANCE = 2e-3
REQUIRED = frozenset(
    os.environ.get("EDGEVAL_REQUIRE_ENGINES", "").replace(" ", "").split(",")  # noqa: TID251
) - {""}


def files_of(precision: str) -> GraphFiles:
    variant = manifest.load(manifest.find("tiny")).variant(precision)
    return GraphFiles(
        vision=variant.graphs["vision_encoder"].path,
        embed=variant.graphs["embed_tokens"].path,
        decoder=variant.graphs["decoder_model_merged"].path,
        threads=1,
    )


def opened(engine: str, precision: str) -> Graphs:
    """The graphs on the engine; skips, or fails where the engine is required."""
    try:
        graphs = engines.open_graphs(engine, files_of(precision))
    except EngineError as error:
        if engine in REQUIRED and precision == "fp32":
            pytest.fail(f"EDGEVAL_REQUIRE_ENGINES has {engine}: {error}")
        pytest.skip(str(error))
    return graphs


@pytest.fixture(scope="module", params=engines.names())
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=PRECISIONS)
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def graphs(engine: str, precision: str) -> Iterator[Graphs]:
    found = opened(engine, precision)
    yield found
    found.close()


@pytest.fixture(scope="module")
def embeds() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((40, WIDTH)).astype(np.float32)


def after(context: Context, *parts: np.ndarray) -> np.ndarray:
    """Logits after all parts."""
    for part in parts:
        logits = context.extend(part)
    return logits.copy()


def close(got: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE)


def test_required_engines_are_known() -> None:
    assert set(engines.names()) >= REQUIRED, "EDGEVAL_REQUIRE_ENGINES names one that is not there"


def test_an_engine_says_what_it_is_and_where_its_graphs_run(graphs: Graphs) -> None:
    assert any(sign.isdigit() for sign in graphs.version)
    assert set(graphs.placement) == {"vision", "embedding", "decoder"}
    assert all(graphs.placement.values())


def test_shapes_and_types(graphs: Graphs, embeds: np.ndarray) -> None:
    pixels = np.zeros((1, 2, 3, 64, 64), np.float32)
    features = graphs.see(
        {"pixel_values": pixels, "pixel_attention_mask": np.ones((1, 2, 64, 64), bool)}
    )
    assert features["image_features"].shape == (2 * 4, WIDTH)
    rows = graphs.embed((0, 1, 5))
    logits = graphs.start(8).extend(embeds[:3])
    assert (rows.shape, logits.shape) == ((3, WIDTH), (VOCABULARY,))
    assert {features["image_features"].dtype, rows.dtype, logits.dtype} == {np.dtype(np.float32)}


def test_prefill_and_steps_equal_one_call(graphs: Graphs, embeds: np.ndarray) -> None:
    ids = (3, 600, 7, 7, 1000)
    rows = graphs.embed(ids)
    whole = after(graphs.start(64), np.concatenate([embeds[:20], rows]))
    context = graphs.start(64)
    context.extend(embeds[:20])
    for token_id in ids:
        stepped = context.step(token_id).copy()
    assert context.length == 25
    close(stepped, whole)


def test_a_context_begins_with_nothing(graphs: Graphs, embeds: np.ndarray) -> None:
    context = graphs.start(4)
    assert context.length == 0
    assert np.isfinite(context.extend(embeds[:1])).all()
    assert context.length == 1


def test_forks_go_on_from_the_same_place(graphs: Graphs, embeds: np.ndarray) -> None:
    parent = graphs.start(64)
    parent.extend(embeds[:20])
    first = after(parent.fork(), embeds[20:30])
    after(parent.fork(), embeds[30:40])
    close(after(parent.fork(), embeds[20:30]), first)


def test_a_context_outgrows_its_room(graphs: Graphs, embeds: np.ndarray) -> None:
    close(after(graphs.start(8), embeds[:6], embeds[6:]), after(graphs.start(64), embeds))


def test_features_and_logits_are_the_reference_engines(
    graphs: Graphs, precision: str, embeds: np.ndarray
) -> None:
    reference = opened(REFERENCE, precision)
    pixels = np.random.default_rng(1).standard_normal((1, 2, 3, 64, 64)).astype(np.float32)
    feeds = {"pixel_values": pixels, "pixel_attention_mask": np.ones((1, 2, 64, 64), bool)}
    close(graphs.see(feeds)["image_features"], reference.see(feeds)["image_features"])
    close(after(graphs.start(64), embeds), after(reference.start(64), embeds))
    reference.close()


def test_what_a_graph_lacks_is_one_sentence(graphs: Graphs) -> None:
    with pytest.raises(EdgevalError, match=r"^[^\n]+$"):
        graphs.see({})


def test_closing_twice_is_closing(engine: str, precision: str) -> None:
    graphs = opened(engine, precision)
    graphs.close()
    graphs.close()


class Silent:
    """An observer that wants nothing."""

    wants_digests = False

    def started(self, *, total: int, records: object) -> None: ...
    def asked(self, step: object) -> None: ...
    def recorded(self, record: object) -> None: ...


def answers(engine: str, precision: str, folder: Path) -> list[Record]:
    spec = Spec(
        benchmark="videommmu",
        model="tiny",
        engine=engine,
        precision=precision,
        settings=("video",),
        limit=3,
        threads=1,
    )
    work, card = runcard.prepare(spec)
    with Journal.create(folder, card) as journal:
        execute(work, journal, Silent())
        work.model.close()
        return list(journal.records)


def test_a_run_says_the_same_tokens_as_the_reference_engine(
    engine: str, precision: str, tmp_path: Path
) -> None:
    opened(engine, precision).close()
    wanted = answers(REFERENCE, precision, tmp_path / "reference")
    got = answers(engine, precision, tmp_path / "engine")
    assert len(got) == 9
    for mine, theirs in zip(got, wanted, strict=True):
        assert mine.generation is not None
        assert theirs.generation is not None
        assert mine.generation.token_ids == theirs.generation.token_ids


def test_the_same_engine_twice_in_one_process(engine: str, precision: str) -> None:
    opened(engine, precision).close()
    folder = manifest.find("tiny")
    one = model.open_model(folder, engine=engine, precision=precision, threads=1)
    other = model.open_model(folder, engine=engine, precision=precision, threads=1)
    assert one.card()["engine_version"] == other.card()["engine_version"]
    one.close()
    other.close()
