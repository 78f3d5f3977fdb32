#!/usr/bin/env python3
"""Train the model that ships: one command, from seeds to a checkpoint, graphs and figures.

    python models/tiny/train.py WORK                    two CPU cores, 90 minutes
    python models/tiny/train.py WORK --scale gpu        one GPU, 10 minutes
    python models/tiny/train.py WORK --scale pilot      to see the curves fall, ten minutes
    python models/tiny/train.py WORK --scale smoke      every part once, a minute

The same command again goes on where it stopped. Needs the extras export, make and cpu.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path, help="folder of the training; resumes one that is there")
    parser.add_argument("--scale", choices=("cpu", "gpu", "pilot", "smoke"), default="cpu")
    parser.add_argument("--run", type=int, default=0, help="seed of everything")
    parser.add_argument("--blind", action="store_true", help="the leak check: no pictures")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw; 0: none")
    parser.add_argument("--threads", type=int, default=1, help="of torch, on a CPU")
    parser.add_argument("--fp32", action="store_true", help="instead of bfloat16")
    parser.add_argument(
        "--steps", action="append", default=[], metavar="STAGE=N", help="other steps for a stage"
    )
    parser.add_argument("--stop-after", type=int, metavar="N", help="stop after N more steps")
    parser.add_argument("--no-export", action="store_true", help="end with the checkpoint")
    return parser.parse_args()


def main() -> int:
    """Train, then export."""
    asked = arguments()
    # Threads that wait for each other sleep: spinning takes the core from what draws the batches.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch
    from training.export import export
    from training.loop import Plan, Stopped, train

    if asked.scale == "gpu" and not torch.cuda.is_available():
        print("train.py: torch finds no GPU; leave --scale gpu out", file=sys.stderr)
        return 4
    plan = Plan(
        folder=asked.work,
        scale=asked.scale,
        run=asked.run,
        blind=asked.blind,
        workers=asked.workers,
        threads=asked.threads,
        device="cuda" if asked.scale == "gpu" or torch.cuda.is_available() else "cpu",
        half=not asked.fp32,
        steps={name: int(n) for name, n in (one.split("=") for one in asked.steps)},
        stop_after=asked.stop_after,
    )
    try:
        checkpoint = train(plan, lambda text: print(text, flush=True))
    except Stopped:
        print("stopped as asked; the same command goes on")
        return 0
    except ValueError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    if not asked.no_export:
        print(f"exported to {export(checkpoint, asked.work / 'model', run=asked.run)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
