"""The two ways of a cache: which library goes which way, and that neither falls to the other."""

from __future__ import annotations

import pytest

from edgeval import cudadriver, engines
from edgeval.engines import AUTO, GraphFiles
from edgeval.engines.trt import library, profiles, store
from edgeval.engines.trt.ways import IN_PLACE, ROWS, WAYS
from edgeval.errors import EngineError


def found(name: str, version: str) -> library.Library:
    return library.Library(name=name, version=version, trt=None)


@pytest.mark.parametrize(
    ("name", "version"), [("tensorrt", "10.3.0"), ("tensorrt", "10.14.1"), ("tensorrt_rtx", "1.5")]
)
def test_a_library_without_the_operator_is_told_the_other_engine(plain, name, version):
    with pytest.raises(EngineError, match=r"^engine trt-inplace: got .* wants .* --engine trt$"):
        IN_PLACE.check(found(name, version), plain)
    ROWS.check(found(name, version), plain)


@pytest.mark.parametrize(
    ("name", "version"), [("tensorrt", "10.15.1"), ("tensorrt", "11.4"), ("tensorrt_rtx", "1.7.1")]
)
def test_a_library_with_it_goes_either_way(plain, name, version):
    for way in WAYS.values():
        way.check(found(name, version), plain)


def test_each_way_is_an_engine_of_its_own_name():
    assert set(WAYS) <= set(engines.names())


def test_auto_tries_the_one_way_only(monkeypatch, tiny):
    def probe(engine: str):
        raise EngineError(f"engine {engine}: no")

    monkeypatch.setattr(cudadriver, "probe", probe)
    onnx = tiny / "onnx"
    files = GraphFiles(
        vision=onnx / "vision_encoder.onnx",
        embed=onnx / "embed_tokens.onnx",
        decoder=onnx / "decoder_model_merged.onnx",
    )
    chosen = engines.choose(AUTO, files)
    assert chosen.name == "cpu"
    assert not any("trt-inplace" in reason for reason in chosen.why)


def test_an_engine_of_one_way_is_not_found_for_the_other(plain, tmp_path):
    identity = store.Identity(
        graph="decoder", files={"a": "b"}, library="tensorrt", version="11.4", sm=87, device="Orin"
    )
    root = store.folder(tmp_path / "engines")
    wanted = {
        name: profiles.decoder_profiles(way.ports(plain)[0], 2048) for name, way in WAYS.items()
    }
    (root / "draft").write_bytes(b"engine")
    store.save(root, identity, wanted["trt"], root / "draft")
    assert store.find(root, identity, wanted["trt"]) is not None
    assert store.find(root, identity, wanted["trt-inplace"]) is None
