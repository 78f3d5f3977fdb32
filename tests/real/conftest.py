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
# onnxruntime's quantize_dynamic as others call it, by what is blamed for what it does.
NAIVE: Mapping[str, Mapping[str, bool]] = {
    "as it comes": {},
    "a scale a column": {"per_channel": True},
    "head left alone": {"head": False},
    "unsigned weights": {"signed": False},
    "seven bits": {"reduce_range": True},
}
DYNAMIC = "int8-dynamic"


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
    from edgeval.export import checkpoint, damage, late, smolvlm, trace
    from edgeval.export.product import Settings
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
        path = root / f"decoder_{precision.replace(' ', '_')}.onnx"
        files[precision] = GraphFiles(
            vision=root / "vision_encoder.onnx", embed=root / "embed_tokens.onnx", decoder=path
        )
        return path

    decoder = traced["decoder_model_merged"]
    for name in (*PRECISIONS, DYNAMIC):
        own = late.Traced(model=copy.deepcopy(decoder.model), late=dict(decoder.late))
        bits, _, dynamic = name.partition("-")
        settings = Settings(dynamic=bool(dynamic))
        few = quantise(own, precision=bits, flavour="ort", settings=settings)  # type: ignore[arg-type]
        late.save(few, place(name))
    for name, options in NAIVE.items():
        naive(files["fp32"].decoder, place(name), **options)
    del model, traced, decoder
    yield Real(checkpoint=folder, tokenizer=tokenizer, ids=ids, wanted=wanted, files=files)
    for path in root.rglob("*"):
        if path.is_file():  # a gigabyte of weights
            path.unlink()


def naive(
    source: Path,
    target: Path,
    *,
    per_channel: bool = False,
    reduce_range: bool = False,
    head: bool = True,
    signed: bool = True,
) -> None:
    """A decoder through quantize_dynamic: scales of activations are worked out as it runs."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    nodes = onnx.load(source, load_external_data=False).graph.node
    last = [node.name for node in nodes if "logits" in node.output]
    quantize_dynamic(
        source,
        target,
        weight_type=QuantType.QInt8 if signed else QuantType.QUInt8,
        per_channel=per_channel,
        reduce_range=reduce_range,
        nodes_to_exclude=None if head else last,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
