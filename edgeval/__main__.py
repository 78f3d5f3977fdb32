"""``python -m edgeval``."""

from edgeval.cli.main import main

main()
