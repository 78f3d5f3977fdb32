#!/usr/bin/env python3
"""Show a lesson, what the shipped model sees of it, and how each change to it changes the answers.

    python models/tiny/picture.py -o docs

writes LESSON.md and pictures/lesson* there, from the model in models/tiny and the embedded lessons.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> int:
    """Ask, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the page")
    parser.add_argument("--seed", type=int, help="another of the embedded lessons")
    parser.add_argument(
        "--words", action="store_true", help="write the page anew from figures that are there"
    )
    asked = parser.parse_args()
    from training.lesson.counted import SEED, SEEDS, measured
    from training.lesson.written import rewrite, write

    seed = SEED if asked.seed is None else asked.seed
    if seed not in SEEDS:
        parser.error(f"--seed: got {seed}; wants one of {SEEDS.start} to {SEEDS.stop - 1}")
    page = rewrite(asked.output) if asked.words else write(measured(seed), asked.output)
    print(f"page: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
