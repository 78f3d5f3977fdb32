#!/usr/bin/env python3
"""What a model folder is worth on held-out clips, every benchmark, by `edgeval run` itself.

python models/tiny/evaluate.py WORK/model WORK/figures
python models/tiny/evaluate.py WORK/model-int8 WORK/figures --precision int8 --no-ablations
python models/tiny/evaluate.py WORK/model WORK/figures --precision q4 --no-ablations
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> int:
    """Evaluate, and say where the figures are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("work", type=Path, help="folder for data, runs and figures; resumes")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--share", type=float, default=1.0, help="of every track's clips")
    parser.add_argument("--frames", type=int, default=16, help="at most so many of a clip")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-ablations", action="store_true")
    parser.add_argument("--only", action="append", default=[], help="benchmark; may be repeated")
    asked = parser.parse_args()
    from training.evaluation import TRACKS, Asked, evaluate

    from edgeval.errors import EdgevalError

    tracks = [track for track in TRACKS if not asked.only or track.benchmark in asked.only]
    how = Asked(
        model=asked.model,
        precision=asked.precision,
        share=asked.share,
        ablations=not asked.no_ablations,
        threads=asked.threads,
        frames=asked.frames,
    )
    try:
        path = evaluate(how, asked.work, tracks)
    except (ValueError, EdgevalError) as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 2
    print(f"figures: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
