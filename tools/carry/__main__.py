"""``python tools/carry``: see docs/GPU.md."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from carry.pack import main  # noqa: E402 - findable from here on

if __name__ == "__main__":
    main()
