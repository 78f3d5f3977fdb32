#!/usr/bin/env python3
"""Exit 0 when two run folders hold the same answers, scores and figures.

Every field of every record is compared, and every final file. Left out: times, the machine and the
versions of its libraries, and the values of the first logits behind their order (kernels of other
processors add in another order; `edgeval verify` bounds how far they may move).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path


def records(folder: Path) -> Iterator[dict[str, object]]:
    """Every record without its times and logits."""
    for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)["record"]
        del record["timing"]
        if record["generation"]:
            logits = record["generation"].pop("logits")
            record["generation"]["logits"] = [token for token, _ in logits["top"][:1]]
        yield record


def figures(folder: Path) -> object:
    """What results.json says of scores."""
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return [found["results"], found["task_hashes"], found["edgeval"]["report"]]


def main(here: Path, there: Path) -> int:
    """Tell the first difference of each kind."""
    pairs = list(zip(records(here), records(there), strict=True))
    apart = [key for one, other in pairs for key in one if one[key] != other[key]]
    files = [path.name for path in sorted(here.glob("samples_*.jsonl"))]
    changed = [name for name in files if (here / name).read_bytes() != (there / name).read_bytes()]
    if figures(here) != figures(there):
        changed.append("results.json")
    print(f"{len(pairs)} records, {len(apart)} fields apart {sorted(set(apart))}")
    print(f"{1 + len(files)} final files, {len(changed)} apart {changed}")
    return 1 if apart or changed or not pairs or not files else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
