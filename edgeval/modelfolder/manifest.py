"""Model folders: ``manifest.toml`` read and proved by hashes; and where to find a model by name.

A folder has a ``manifest.toml``, or is in the published layout
(edgeval/modelfolder/published.py). Keys of the manifest are the ones below; any other is an error.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edgeval.errors import ManifestError, UnknownName
from edgeval.modelfolder import (
    GRAPHS,
    REQUIRED_ROLES,
    ROLES,
    Manifest,
    ModelFile,
    Plain,
    Variant,
    sha256,
)
from edgeval.modelfolder.external import data_files
from edgeval.modelfolder.published import detect
from edgeval.modelfolder.text import check_small, read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "manifest.toml"
SCHEMA = 1
TOP_KEYS = (
    "schema",
    "name",
    "family",
    "source",
    "licence",
    "default",
    "files",
    "image",
    "video",
    "variants",
)
VARIANT_KEYS = ("precision", "flavour", "graphs", "proof")
FILE_KEYS = ("path", "sha256")


def find(name_or_path: str | Path) -> Path:
    """The folder of a model.

    A path, or the name of one that the package or the checkout carries.
    """
    text = str(name_or_path)
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.startswith("."):
        raise ManifestError(
            f"model {text}: no such folder; give a model folder or a name from `edgeval list "
            f"models`"
        )
    carried = embedded()
    if text not in carried:
        raise UnknownName("model", text, carried)
    return carried[text]


def names() -> tuple[str, ...]:
    """Models that came with edgeval."""
    return tuple(embedded())


def embedded() -> dict[str, Path]:
    """Every model that came with edgeval, by name.

    In the package when installed, in ``models/`` of a checkout.
    """
    package = Path(__file__).resolve().parents[1]
    found: dict[str, Path] = {}
    for root in (package.parent / "models", package / "models"):
        if root.is_dir() and (root.parent == package or (root.parent / "pyproject.toml").is_file()):
            found |= {path.parent.name: path.parent for path in sorted(root.glob(f"*/{FILE}"))}
    return found


def load(folder: Path) -> Manifest:
    """Read a model folder and check every promised hash.

    ManifestError in one sentence says what is wrong.
    """
    if not folder.is_dir():
        raise ManifestError(f"model {folder}: no such folder")
    path = folder / FILE
    manifest = _declared(path) if path.is_file() else detect(folder)
    for file in manifest.all_files():
        if not file.path.is_file():
            raise ManifestError(
                f"model {folder}: {file.path.name} is missing; export or download the model again"
            )
    for file in manifest.files.values():
        check_small(file.path)
    return manifest


def verify(manifest: Manifest, variant: Variant) -> dict[str, str]:
    """sha256 of every file that ``variant`` uses, by path in the folder.

    ManifestError when one breaks its promise, or when a graph's weights lie outside its folder.
    """
    digests: dict[str, str] = {}
    for file in (*manifest.files.values(), *_graph_files(manifest, variant)):
        name = file.path.relative_to(manifest.folder).as_posix()
        digests[name] = sha256(file.path)
        if file.sha256 and digests[name] != file.sha256:
            raise ManifestError(
                f"model {manifest.name}: {name} is not the file the manifest names: got sha256 "
                f"{digests[name][:12]}, "
                f"wants {file.sha256[:12]}; export or download the model again"
            )
    return digests


def _graph_files(manifest: Manifest, variant: Variant) -> Iterator[ModelFile]:
    """The graphs, and the files of weights that they name wherever the manifest does not."""
    yield from variant.graphs.values()
    named = {file.path for file in variant.graphs.values()}
    for role in GRAPHS:
        for path in data_files(variant.graphs[role].path):
            if path in named:
                continue
            if manifest.declared:
                raise ManifestError(
                    f"model {manifest.name}: {role} has weights in {path.name}, for which the "
                    "manifest promises no hash; export the model again"
                )
            yield ModelFile(path=path)


def _declared(path: Path) -> Manifest:
    try:
        table = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not TOML ({error})") from error
    check_keys(table, TOP_KEYS, f"{path}")
    if table.get("schema") != SCHEMA:
        raise ManifestError(f"{path}: got schema {table.get('schema')!r}; wants {SCHEMA}")
    variants = [
        _variant(entry, path) for entry in _tables(table.get("variants", []), f"{path} variants")
    ]
    if not variants:
        raise ManifestError(f"{path}: no [[variants]]; wants at least one set of graphs")
    by_precision = {variant.precision: variant for variant in variants}
    default = _text(table, "default", path, fallback=variants[0].precision)
    if len(by_precision) != len(variants) or default not in by_precision:
        raise ManifestError(
            f"{path}: got precisions {[v.precision for v in variants]} and default {default!r}; "
            f"wants distinct "
            "precisions, one of them the default"
        )
    files = {
        role: _file(entry, path, role)
        for role, entry in _table(table, "files", path, ROLES).items()
    }
    if missing := [role for role in REQUIRED_ROLES if role not in files]:
        raise ManifestError(
            f"{path}: [files] has no {missing[0]}; wants {' and '.join(REQUIRED_ROLES)}"
        )
    return Manifest(
        folder=path.parent,
        name=_text(table, "name", path),
        family=_text(table, "family", path),
        source=_text(table, "source", path),
        licence=_text(table, "licence", path),
        default=default,
        files=files,
        image=_table(table, "image", path, None),
        video=_table(table, "video", path, None),
        variants=by_precision,
        declared=True,
    )


def _variant(entry: Mapping[str, object], path: Path) -> Variant:
    check_keys(entry, VARIANT_KEYS, f"{path} [[variants]]")
    graphs: dict[str, ModelFile] = {}
    for role, value in _table(entry, "graphs", path, None).items():
        if role.removesuffix("_data") not in GRAPHS:
            raise ManifestError(
                f"{path}: got graph {role!r}; valid are {', '.join(GRAPHS)}, each also with _data"
            )
        graphs[role] = _file(value, path, role)
    if missing := [role for role in GRAPHS if role not in graphs]:
        raise ManifestError(
            f"{path}: [variants.graphs] has no {missing[0]}; wants {', '.join(GRAPHS)}"
        )
    proof: dict[str, Plain] = {}
    for key, value in _table(entry, "proof", path, None).items():
        if not isinstance(value, Plain):
            raise ManifestError(f"{path}: got proof {key} = {value!r}; wants a number or a text")
        proof[key] = value
    return Variant(
        precision=_text(entry, "precision", path),
        flavour=_text(entry, "flavour", path),
        graphs=graphs,
        proof=proof,
    )


def check_keys(table: Mapping[str, object], valid: Iterable[str], where: str) -> None:
    """ManifestError naming the valid keys (and the closest) for a key that is not one of them."""
    names = tuple(valid)
    for key in table:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ManifestError(
                f"{where}: unknown key {key!r}; {hint}valid keys are {', '.join(names)}"
            )


def _table(
    table: Mapping[str, object], key: str, path: Path, valid: Iterable[str] | None
) -> dict[str, object]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ManifestError(f"{path}: got {key} = {value!r}; wants a table")
    if valid is not None:
        check_keys(value, valid, f"{path} [{key}]")
    return value


def _tables(value: object, where: str) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ManifestError(f"{where}: wants an array of tables")
    return value


def _text(table: Mapping[str, object], key: str, path: Path, *, fallback: str | None = None) -> str:
    value = table.get(key, fallback)
    if not isinstance(value, str) or not value:
        raise ManifestError(f"{path}: got {key} = {value!r}; wants a text")
    return value


def _file(value: object, path: Path, role: str) -> ModelFile:
    if not isinstance(value, dict):
        raise ManifestError(
            f'{path}: got {role} = {value!r}; wants {{ path = "...", sha256 = "..." }}'
        )
    check_keys(value, FILE_KEYS, f"{path} {role}")
    name, digest = _text(value, "path", path), _text(value, "sha256", path)
    target = path.parent / name
    # By its words, not by where links lead: a hub's cache links every file to its store.
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ManifestError(f"{path}: {role} names {name}, which lies outside the model folder")
    return ModelFile(path=target, sha256=digest.lower())
