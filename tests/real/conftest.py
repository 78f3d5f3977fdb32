"""SmolLM2 in every precision, made once."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeval.chat.tokenizer import Tokenizer
from edgeval.engines import GraphFiles, Graphs, open_graphs

from .smollm2 import find, write_checkpoint

PRECISIONS = ("fp32", "int8", "q4")
NAIVE = "int8-dynamic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """The checkpoint, its tokenizer, and its graphs of flavour ort by precision.

    ``ids``: the first tokens of the text that damage is measured on; ``wanted``: what the
    checkpoint makes of them in torch.
    """

    checkpoint: Path
    tokenizer: Tokenizer
    ids: tuple[int, ...]
    wanted: object
    files: Mapping[str, GraphFiles]

    def open(self, precision: str, threads: int = 1) -> Graphs:
        files = self.files[precision]
        return open_graphs(
            "cpu",
            GraphFiles(
                vision=files.vision, embed=files.embed, decoder=files.decoder, threads=threads
            ),
        )


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, hf: None) -> Iterator[Real]:
    """Traced once and quantised as `edgeval export` does it."""
    source = find()
    pytest.importorskip("onnxscript")
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from edgeval.export import checkpoint, damage, late, smolvlm, trace
    from edgeval.export.quantise import quantise

    root = tmp_path_factory.mktemp("smollm2")
    folder = root / "checkpoint"
    folder.mkdir()
    write_checkpoint(source, folder)
    tokenizer = Tokenizer(folder / "tokenizer.json")
    model = checkpoint.load(folder).model
    ids = damage.text_ids(tokenizer, model.get_input_embeddings().num_embeddings)
    wanted = damage.read_reference(model, ids)
    traced = {spec.name: trace.trace(spec) for spec in smolvlm.graphs(model, "ort")}
    for name in ("vision_encoder", "embed_tokens"):
        late.save(traced[name], root / f"{name}.onnx")
    files: dict[str, GraphFiles] = {}

    def place(precision: str) -> Path:
        path = root / f"decoder_{precision}.onnx"
        files[precision] = GraphFiles(
            vision=root / "vision_encoder.onnx", embed=root / "embed_tokens.onnx", decoder=path
        )
        return path

    decoder = traced["decoder_model_merged"]
    for precision in PRECISIONS:
        own = late.Traced(model=copy.deepcopy(decoder.model), late=dict(decoder.late))
        late.save(quantise(own, precision=precision, flavour="ort"), place(precision))
    quantize_dynamic(
        files["fp32"].decoder,
        place(NAIVE),
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
    del model, traced, decoder
    yield Real(checkpoint=folder, tokenizer=tokenizer, ids=ids, wanted=wanted, files=files)
    for path in root.rglob("*"):
        if path.is_file():  # a gigabyte of weights
            path.unlink()
