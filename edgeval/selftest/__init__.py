"""Is an engine right on this machine? Fixed questions asked again and held against what was kept.

Whoever exports a model asks them once, on a machine that is trusted, and keeps every stage of every
answer beside the graphs (``selftest.json``). A new board, driver or engine asks them again.
"""

from __future__ import annotations

FILE = "selftest.json"
