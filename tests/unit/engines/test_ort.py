"""The cpu engine's contexts: chunks, steps and forks give what one long call gives, to the bit."""

from __future__ import annotations

import gc
import itertools
import weakref
from pathlib import Path

import numpy as np
import pytest

from edgeval.engines import Context, GraphFiles, Graphs, open_graphs
from edgeval.engines.ort.cache import Chunk
from edgeval.errors import ArgumentError, ManifestError

# The carried model's full precision has a growing cache, its 4 bits one buffer.
FILES = {"growing": "", "buffer": "_q4"}
WIDTH = 128


def opened(tiny: Path, suffix: str, threads: int = 1) -> Graphs:
    onnx = tiny / "onnx"
    return open_graphs(
        "cpu",
        GraphFiles(
            vision=onnx / f"vision_encoder{suffix}.onnx",
            embed=onnx / "embed_tokens.onnx",
            decoder=onnx / f"decoder_model_merged{suffix}.onnx",
            threads=threads,
        ),
    )


@pytest.fixture(scope="module", params=FILES.values(), ids=FILES.keys())
def graphs(request, tiny) -> Graphs:
    return opened(tiny, request.param)


@pytest.fixture(scope="module")
def embeds() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.standard_normal((40, WIDTH)).astype(np.float32)


def after(context: Context, *parts: np.ndarray) -> np.ndarray:
    """Logits after all parts."""
    for part in parts:
        logits = context.extend(part)
    return logits.copy()


def test_chunks_give_what_one_call_gives(graphs, embeds):
    whole = after(graphs.start(64), embeds)
    parts = after(graphs.start(64), embeds[:25], embeds[25:])
    np.testing.assert_array_equal(parts, whole)


def test_every_fork_goes_on_from_the_same_place(graphs, embeds):
    parent = graphs.start(64)
    parent.extend(embeds[:20])
    answers = [after(parent.fork(), embeds[20:30]) for _ in range(3)]
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])


def test_a_fork_is_not_what_another_left_behind(graphs, embeds):
    parent = graphs.start(64)
    parent.extend(embeds[:20])
    after(parent.fork(), embeds[30:40])
    fresh = after(graphs.start(64), embeds[:20], embeds[20:25])
    np.testing.assert_array_equal(after(parent.fork(), embeds[20:25]), fresh)


def test_a_parent_may_go_on_while_its_fork_lives(graphs, embeds):
    parent = graphs.start(64)
    parent.extend(embeds[:20])
    fork = parent.fork()
    fork.extend(embeds[20:25])
    after(parent, embeds[30:35])
    fresh = after(graphs.start(64), embeds[:20], embeds[20:25], embeds[25:30])
    np.testing.assert_array_equal(after(fork, embeds[25:30]), fresh)


def test_a_context_outgrows_its_room(graphs, embeds):
    small = after(graphs.start(4), embeds[:10], embeds[10:20], embeds[20:])
    large = after(graphs.start(400), embeds[:10], embeds[10:20], embeds[20:])
    np.testing.assert_array_equal(small, large)


def test_a_step_is_an_extension_by_one_token(graphs, embeds):
    stepped, extended = graphs.start(64), graphs.start(64)
    stepped.extend(embeds)
    extended.extend(embeds)
    np.testing.assert_array_equal(stepped.step(17), extended.extend(graphs.embed((17,))))


def test_the_length_counts_tokens(graphs, embeds):
    context = graphs.start(64)
    context.extend(embeds[:7])
    context.step(3)
    assert context.length == 8


def test_threads_do_not_change_a_bit(tiny, embeds):
    one, two = (opened(tiny, "", threads).start(64) for threads in (1, 2))
    np.testing.assert_array_equal(after(one, embeds), after(two, embeds))


def test_an_overtaken_fork_of_a_buffer_says_so(tiny, embeds):
    parent = opened(tiny, "_q4").start(64)
    parent.extend(embeds[:20])
    first = parent.fork()
    parent.fork()
    with pytest.raises(ArgumentError, match="fork the parent again"):
        first.extend(embeds[20:25])


def test_a_context_that_is_let_go_frees_its_memory_at_once(graphs, embeds):
    """Not when garbage is next collected: a clip's keys and values may be gigabytes."""
    parent = graphs.start(4)
    parent.extend(embeds[:10])
    fork = parent.fork()
    fork.extend(embeds[10:20])
    gone = [weakref.ref(parent), weakref.ref(fork)]
    gc.disable()
    try:
        del parent, fork
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()


def test_embeddings_are_rows_of_the_table(graphs):
    rows = graphs.embed((3, 1, 3))
    assert rows.shape == (3, WIDTH)
    np.testing.assert_array_equal(rows[0], rows[2])


def test_images_in_one_call_or_two_give_the_same_features(tiny):
    graphs = opened(tiny, "")
    rng = np.random.default_rng(2)
    pixels = rng.standard_normal((1, 4, 3, 64, 64)).astype(np.float32)

    def features(images: np.ndarray) -> np.ndarray:
        mask = np.ones((1, images.shape[1], 64, 64), np.bool_)
        return graphs.see({"pixel_values": images, "pixel_attention_mask": mask})["image_features"]

    apart = np.concatenate([features(pixels[:, :1]), features(pixels[:, 1:])])
    np.testing.assert_array_equal(apart, features(pixels))


def test_a_graph_without_a_cache_is_no_decoder(tiny):
    onnx = tiny / "onnx"
    with pytest.raises(ManifestError, match="takes pixel_values"):
        open_graphs(
            "cpu",
            GraphFiles(
                vision=onnx / "vision_encoder.onnx",
                embed=onnx / "embed_tokens.onnx",
                decoder=onnx / "vision_encoder.onnx",
                threads=1,
            ),
        )


def test_the_table_is_read_or_computed_to_the_same_rows(tiny, tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(tiny / "onnx/embed_tokens.onnx")
    (node,) = model.graph.node
    output = node.output[0]
    node.output[0] = "rows"
    model.graph.node.append(onnx.helper.make_node("Identity", ["rows"], [output]))
    path = tmp_path / "embed.onnx"
    onnx.save(model, path)
    files = itertools.starmap(
        lambda embed, suffix: GraphFiles(
            vision=tiny / "onnx/vision_encoder.onnx",
            embed=embed,
            decoder=tiny / f"onnx/decoder_model_merged{suffix}.onnx",
            threads=1,
        ),
        [(path, ""), (tiny / "onnx/embed_tokens.onnx", "")],
    )
    computed, read = (open_graphs("cpu", entry).embed((5, 900)) for entry in files)
    np.testing.assert_array_equal(computed, read)


def test_positions_go_on_behind_the_last_token_and_not_the_largest():
    places = np.array([[0, 90, 4], [0, 1, 4], [0, 2, 4]])
    chunk = Chunk(embeds=np.zeros((3, 8), np.float32), start=0, place=0, places=places)
    assert chunk.next_place == 5


@pytest.mark.parametrize("suffix", FILES.values(), ids=FILES.keys())
def test_lean_graphs_say_the_same(tiny, embeds, suffix):
    usual = opened(tiny, suffix).start(64).extend(embeds)
    onnx = tiny / "onnx"
    files = GraphFiles(
        vision=onnx / f"vision_encoder{suffix}.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / f"decoder_model_merged{suffix}.onnx",
        threads=1,
        lean=True,
    )
    lean = open_graphs("cpu", files).start(64).extend(embeds)
    # 4 bits are multiplied in float32 where they are not packed anew.
    assert np.sqrt(np.mean((lean - usual) ** 2)) / usual.std() < (0.05 if suffix else 1e-5)


def test_lean_graphs_hold_the_vision_graph_only_while_it_looks(tiny):
    onnx = tiny / "onnx"
    files = GraphFiles(
        vision=onnx / "vision_encoder.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / "decoder_model_merged.onnx",
        threads=1,
        lean=True,
    )
    lean, usual = open_graphs("cpu", files), opened(tiny, "")
    pixels = np.random.default_rng(1).standard_normal((1, 2, 3, 64, 64)).astype(np.float32)
    feeds = {"pixel_values": pixels, "pixel_attention_mask": np.ones((1, 2, 64, 64), bool)}
    for _ in range(2):
        np.testing.assert_allclose(
            lean.see(feeds)["image_features"], usual.see(feeds)["image_features"], atol=1e-4
        )
        assert "_vision" not in vars(lean)
