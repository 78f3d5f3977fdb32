#!/usr/bin/env python3
"""Write the model card from logs and figures; what was not measured is said to be so.

    python models/tiny/card.py WORK [WORK2] [--blind WORK3] -o models/tiny/README.md

WORK: a folder of train.py, with the figures of evaluate.py in WORK/figures. The first is the model
that ships; the second is the same recipe from another seed; --blind was trained without pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> int:
    """Write the card."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path, nargs="+")
    parser.add_argument("--blind", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    for work in (*asked.work, *([asked.blind] if asked.blind else [])):
        if not work.is_dir():
            parser.error(f"{work}: no such folder")
    from training.card import card

    asked.output.write_text(card(asked.work, asked.blind), encoding="utf-8")
    print(f"card: {asked.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
