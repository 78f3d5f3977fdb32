"""From a checkpoint to a model folder.

Graphs, tokenizer, manifest, and the proof that they agree.
"""

from __future__ import annotations

import gc
import importlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgeval.chat.tokenizer import Tokenizer
from edgeval.engines import GraphFiles, open_graphs
from edgeval.errors import ManifestError
from edgeval.export.exporters import EXPORTERS, Tables
from edgeval.modelfolder import Manifest, ModelFile, Variant, sha256
from edgeval.modelfolder import manifest as manifests
from edgeval.modelfolder.published import NAMES, files_of

if TYPE_CHECKING:
    from edgeval.export.graphspec import Flavour
    from edgeval.export.proof import Proof

Precision = Literal["fp32", "fp16", "int8", "q4"]
COPIED = ("config", "generation", "tokenizer", "tokenizer_config", "template")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to export. ``name``, ``source`` and ``licence`` go into the manifest.

    ``block_size``, ``accuracy_level`` and ``head_bits``: of q4 and int8 (edgeval/export/product.py,
    Settings); ``calibration``: a text to choose the scales of q4 by; ``dynamic``: int8 rounds
    activations too.
    """

    checkpoint: Path
    output: Path
    precision: Precision
    flavour: Flavour
    name: str
    source: str
    licence: str
    block_size: int = 32
    accuracy_level: int = 4
    calibration: Path | None = None
    head_bits: Literal[4, 8] = 8
    dynamic: bool = False

    @property
    def variant(self) -> str:
        """What the manifest calls the precision."""
        return f"{self.precision}-dynamic" if self.dynamic else self.precision


def export(plan: Plan) -> Proof:
    """Write the folder; a second precision is added to a folder that has a first.

    Raises ManifestError for a checkpoint or folder that cannot be used, and when the graphs do not
    agree with the checkpoint within the tolerance of the precision (the manifest is not written).
    """
    from edgeval.export import checkpoint

    exporter = EXPORTERS[checkpoint.check(plan.checkpoint)]
    source = _checkpoint_manifest(plan, exporter.family)
    described = _Described(
        source=source, tables=exporter.tables(source), roles=(*COPIED, *exporter.copied)
    )
    kept = _other_variants(plan)
    loaded = checkpoint.load(plan.checkpoint)
    from edgeval.export import calibration, damage, graphfiles, proof, thin
    from edgeval.export.product import Settings

    module = importlib.import_module(exporter.module)
    fixed = module.fixed_inputs(loaded.model)
    wanted = proof.reference(loaded.model, fixed)
    n_known = loaded.model.get_input_embeddings().num_embeddings
    tokenizer = Tokenizer(source.files["tokenizer"].path)
    ids = damage.text_ids(tokenizer, n_known)
    # fp32 is proved to the last bits; what could be lost is in fewer.
    meant = None if plan.precision == "fp32" else damage.read_reference(loaded.model, ids)
    heard = calibration.NONE
    if plan.calibration is not None:
        heard = calibration.calibrate(loaded.model, tokenizer, plan.calibration)
    written = graphfiles.write(
        plan.output / "onnx",
        module.graphs(loaded.model, plan.flavour),
        graphfiles.Form(
            precision=plan.precision,
            flavour=plan.flavour,
            settings=Settings(
                block=plan.block_size,
                accuracy=plan.accuracy_level,
                squares=heard.squares,
                dynamic=plan.dynamic,
                head=plan.head_bits,
            ),
            ranges=wanted.ranges,
            names={layer: name for name, layer in loaded.model.named_modules()},
        ),
    )
    # The checkpoint goes before the graphs come: memory has room for one of them. Its layers' hooks
    # refer back to them, so that no count of references falls to zero by itself.
    thin.emptied(loaded.model)
    del loaded
    gc.collect()
    graphs = written.files
    opened = open_graphs(
        "cpu",
        GraphFiles(
            vision=graphs["vision_encoder"].path,
            embed=graphs["embed_tokens"].path,
            decoder=graphs["decoder_model_merged"].path,
            # What is large enough to have its weights in a file of their own.
            lean=any(role.endswith("_data") for role in graphs),
        ),
    )
    proved = proof.prove(wanted, opened, fixed=fixed, precision=plan.variant)
    if not proved.holds:
        raise ManifestError(
            f"export {plan.output}: the graphs differ from the checkpoint by "
            f"{proved.rms_dlogit:.3g} (root mean square) in logits of standard deviation "
            f"{proved.logit_std:.3g}; wants at most {proved.tolerance} of that"
        )
    if meant is not None:
        lost = damage.compare(damage.read(opened, ids, meant.said), meant)
        if plan.dynamic:
            lost = replace(lost, prompts=damage.read_prompts(opened, ids, meant))
        proved = replace(proved, damage=lost)
    variant = Variant(
        precision=plan.variant,
        flavour=plan.flavour,
        graphs=graphs,
        proof={**proved.table(), **written.told, **heard.table()},
    )
    _write_manifest(plan, described, [*kept, variant])
    return proved


def _checkpoint_manifest(plan: Plan, family: str) -> Manifest:
    """The checkpoint seen as a model folder without graphs."""
    files = files_of(plan.checkpoint)
    for role in ("config", "tokenizer"):
        if role not in files:
            raise ManifestError(f"checkpoint {plan.checkpoint}: no {NAMES[role][0]}")
    return Manifest(
        folder=plan.checkpoint,
        name=plan.name,
        family=family,
        source=plan.source,
        licence=plan.licence,
        default=plan.variant,
        files=files,
        image={},
        video={},
        variants={},
        declared=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """What the manifest says besides the graphs."""

    source: Manifest
    tables: Tables
    roles: tuple[str, ...]


def _write_manifest(plan: Plan, described: _Described, variants: list[Variant]) -> None:
    source = described.source
    files: dict[str, ModelFile] = {}
    for role in described.roles:
        if role in source.files:
            target = plan.output / source.files[role].path.name
            shutil.copyfile(source.files[role].path, target)
            target.chmod(0o644)
            files[role] = ModelFile(path=target, sha256=sha256(target))
    text = "\n".join(
        [
            f"schema = {manifests.SCHEMA}",
            *_lines(
                {
                    "name": plan.name,
                    "family": source.family,
                    "source": plan.source,
                    "licence": plan.licence,
                    "default": variants[0].precision,
                }
            ),
            "\n[files]",
            *_file_lines(plan, files),
            "\n[image]",
            *_lines(described.tables.image),
            "\n[video]",
            *_lines(described.tables.video),
            *(line for one in variants for line in _variant_lines(plan, one)),
            "",
        ]
    )
    (plan.output / manifests.FILE).write_text(text, "utf-8")


def _other_variants(plan: Plan) -> list[Variant]:
    """Precisions that the folder already has, if it is a folder of this model."""
    if not (plan.output / manifests.FILE).is_file():
        return []
    present = manifests.load(plan.output)
    if present.name != plan.name:
        raise ManifestError(
            f"export {plan.output}: the folder holds model {present.name!r}; wants an empty "
            f"folder or "
            f"one of {plan.name!r}"
        )
    return [other for key, other in present.variants.items() if key != plan.variant]


def _variant_lines(plan: Plan, variant: Variant) -> Iterable[str]:
    yield "\n[[variants]]"
    yield from _lines({"precision": variant.precision, "flavour": variant.flavour})
    yield "[variants.graphs]"
    yield from _file_lines(plan, variant.graphs)
    yield "[variants.proof]"
    yield from _lines(variant.proof)


def _file_lines(plan: Plan, files: Mapping[str, ModelFile]) -> Iterable[str]:
    for role, file in files.items():
        path = file.path.relative_to(plan.output).as_posix()
        yield f'{role} = {{ path = {_toml(path)}, sha256 = "{file.sha256}" }}'


def _lines(table: Mapping[str, object]) -> Iterable[str]:
    for key, value in table.items():
        yield f"{key} = {_toml(value)}"


def _toml(value: object) -> str:
    """A number, text or list of them in TOML, which is JSON for these."""
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False)
