#!/usr/bin/env python3
"""Put a trained model in the place of the one that ships, if it is nowhere worse.

python models/tiny/evaluate.py models/tiny WORK/shipped
python models/tiny/evaluate.py WORK/model WORK/figures
python models/tiny/ship.py WORK
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def main() -> int:
    """Ship, or say what speaks against it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    asked = parser.parse_args()
    from training.shipping import against, take

    from edgeval.errors import EdgevalError

    work = asked.work
    embedded = HERE.parents[1] / "edgeval" / "embedded"
    try:
        said = list(against(work / "model", work / "figures", work / "shipped", embedded))
    except (ValueError, EdgevalError) as error:
        said = [str(error)]
    for sentence in said:
        print(f"not shipped: {sentence}", file=sys.stderr)
    if said:
        return 1
    take(work / "model", HERE)
    print("shipped; now: card.py, picture.py, the tables of edgeval/embedded/README.md,")
    print("test_embedded_model.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
