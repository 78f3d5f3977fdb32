"""Memory by arithmetic: what grows with what, and that the sum is what onnxruntime really takes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from edgeval.errors import ManifestError
from edgeval.footprint.sizes import Bite, Footprint, Load, Shape, Tower, footprint, shape_of
from edgeval.modelfolder import manifest

MIB = 1 << 20
SHAPE = Shape(
    weights=500 * MIB,
    decoder=Tower(heads=9, hidden=576, inner=1536),
    vision=Tower(heads=12, hidden=768, inner=3072),
    patch=16,
    layers=30,
    kv_heads=3,
    width=64,
    number=4,
    shared=True,
)
GROWING = dataclasses.replace(SHAPE, shared=False)
LOAD = Load(
    frames=16,
    picture=1280 * 720 * 3 // 2,
    frame=512 * 512 * 3,
    bite=Bite(nbytes=4 * 512 * 512 * 3 * 4, images=4, height=512, width=512, patched=False),
    features=16 * 64,
    prefix=3072,
    question=128,
    new=128,
    room=512,
    piece=1024,
    workers=2,
)


def test_a_token_of_the_135m_shape_takes_46_kb() -> None:
    assert SHAPE.token == 2 * 30 * 3 * 64 * 4
    assert footprint(SHAPE, LOAD).cache == (3072 + 512) * SHAPE.token


def test_half_the_bits_are_half_the_cache() -> None:
    half = dataclasses.replace(SHAPE, number=2)
    assert footprint(half, LOAD).cache * 2 == footprint(SHAPE, LOAD).cache


def of(shape: Shape = SHAPE, **changes: int) -> Footprint:
    """The footprint of LOAD with other numbers."""
    return footprint(shape, dataclasses.replace(LOAD, **changes))


def test_more_than_the_room_pays_for_the_copy() -> None:
    short, grown = footprint(SHAPE, LOAD).cache, of(new=385).cache
    assert grown > 2 * short
    assert grown == (3072 + 512 + (3072 + 513) * 5 // 4) * SHAPE.token


def test_a_second_copy_is_made_beside_the_first() -> None:
    first = (3072 + 513) * 5 // 4
    second = (first + 1) * 5 // 4
    whole = first + 1 - 3072 - 128
    assert of(new=whole).cache == (3072 + 512 + first + second) * SHAPE.token
    assert of(new=whole - 1).cache == (3072 + 512 + first) * SHAPE.token


def test_a_growing_cache_is_held_in_pieces_beside_the_prefix() -> None:
    whole = 3072 + 128 + 900
    assert of(GROWING, new=900).cache == (3072 + 4 * whole + 900) * SHAPE.token
    few = dataclasses.replace(GROWING, layers=1)
    assert of(few).cache == 2 * (3072 + 128) * few.token  # Reading takes more by its scores.


def test_answers_together_have_a_copy_each() -> None:
    """Behind the prefix's own buffer; rows that are full are copied into larger ones."""
    assert of(rows=4).cache == 5 * of().cache
    grown = (3072 + 513) * 5 // 4
    assert of(rows=4, new=385).cache == (3072 + 512 + 4 * (3072 + 512 + grown)) * SHAPE.token


def test_attention_without_its_own_operator_keeps_scores() -> None:
    scores = 3 * 9 * 1024 * (3072 + 128) * 4
    reading = dataclasses.replace(GROWING, layers=1)
    assert footprint(reading, LOAD).decoder - footprint(SHAPE, LOAD).decoder > scores


def test_an_answer_is_not_read_in_pieces() -> None:
    """4096 tokens more take their keys and values, and one row of scores; not a piece of rows."""
    plain = dataclasses.replace(GROWING, layers=1)
    grown = of(plain, new=4096).clip - of(plain, new=1).clip
    rows = 3 * 9 * 1024 * 4096 * 4
    assert grown < rows / 4


def test_what_a_graph_took_stays_with_it() -> None:
    found = footprint(SHAPE, LOAD)
    rest = found.decoding + found.frames + found.features
    assert found.clip == rest + found.vision + found.cache + found.decoder
    assert found.peak == found.weights + found.clip


def test_images_of_a_bite_each_keep_their_scores() -> None:
    one = dataclasses.replace(LOAD, bite=dataclasses.replace(LOAD.bite, images=1, nbytes=0))
    two = dataclasses.replace(LOAD, bite=dataclasses.replace(LOAD.bite, images=2, nbytes=0))
    assert footprint(SHAPE, two).vision == 2 * footprint(SHAPE, one).vision
    assert footprint(SHAPE, one).vision > 2 * 12 * 1024 * 1024 * 4


def test_patches_are_counted_as_they_are() -> None:
    pixels = dataclasses.replace(LOAD.bite, height=512, width=512, patched=False)
    patches = dataclasses.replace(LOAD.bite, height=32, width=32, patched=True)
    assert (
        footprint(SHAPE, dataclasses.replace(LOAD, bite=pixels)).vision
        == footprint(SHAPE, dataclasses.replace(LOAD, bite=patches)).vision
    )


def test_the_shipped_model_tells_its_sizes() -> None:
    found = manifest.load(manifest.find("tiny"))
    shape = shape_of(found, found.variant(None))
    text = json.loads(found.files["config"].path.read_text())["text_config"]
    assert shape.layers == text["num_hidden_layers"]
    assert shape.kv_heads == text["num_key_value_heads"]
    assert shape.decoder.hidden == text["hidden_size"]
    assert shape.weights == sum(
        file.path.stat().st_size for file in found.variant(None).graphs.values()
    )


@pytest.mark.parametrize(
    "family", ["smolvlm", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "llava_onevision", "internvl"]
)
def test_every_family_tells_its_sizes(shared: Path, tmp_path: Path, family: str) -> None:
    """Their configs have different names for the same."""
    tiny = manifest.load(manifest.find("tiny"))
    config = dataclasses.replace(
        tiny.files["config"], path=shared / "e2e/ckpt" / family / "config.json"
    )
    found = dataclasses.replace(tiny, files={**tiny.files, "config": config})
    shape = shape_of(found, found.variant(None))
    assert (shape.layers, shape.kv_heads, shape.width) == (3, 2, 16)
    assert shape.vision == Tower(heads=2, hidden=32, inner=64)


def test_a_config_without_sizes_is_named(tmp_path: Path) -> None:
    tiny = manifest.load(manifest.find("tiny"))
    path = tmp_path / "config.json"
    path.write_text("{}")
    config = dataclasses.replace(tiny.files["config"], path=path)
    found = dataclasses.replace(tiny, files={**tiny.files, "config": config})
    with pytest.raises(ManifestError, match="wants the model's sizes"):
        shape_of(found, found.variant(None))
