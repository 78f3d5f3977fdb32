"""``python tools/gpu_check``: see docs/GPU.md."""

import sys
from pathlib import Path

# Its own folder's parent: the checkout itself would hide the installed package.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from gpu_check.cli import main  # noqa: E402 - findable from here on

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
