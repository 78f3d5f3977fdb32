"""The hardware: what it is like (for `doctor`), and how it fares during a run (the device card)."""
