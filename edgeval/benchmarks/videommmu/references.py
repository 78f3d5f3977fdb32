"""Published Video-MMMU figures, in percent, to stand beside ours. Measured by others, elsewhere."""

from __future__ import annotations

from edgeval.figures import Reference

_TRACKS = ("track=perception", "track=comprehension", "track=adaptation")
_GAIN = ("delta-knowledge", "wrong-to-right", "right-to-wrong")
_PAPER = "arXiv 2501.13826"
_README = "VideoMMMU README leaderboard (read 2026-11)"


def _row(
    name: str,
    overall: float,
    tracks: tuple[float, float, float] | None,
    gain: tuple[float | None, float | None, float | None] = (None, None, None),
    *,
    source: str = _README,
) -> Reference:
    """``tracks`` and ``gain`` in the order of _TRACKS and _GAIN."""
    values = {"overall": overall, **dict(zip(_TRACKS, tracks or (), strict=False))}
    values |= {key: x for key, x in zip(_GAIN, gain, strict=True) if x is not None}
    return Reference(name=name, values=values, source=source)


PUBLISHED = (
    _row("Human", 74.44, (84.33, 78.67, 60.33), (33.1, 40.4, 10.7), source=_PAPER),
    _row("Random choice", 14.00, (12.00, 14.00, 16.00), source=_PAPER),
    _row("GPT-5-thinking", 84.6, None),
    _row("Gemini-2.5-Pro", 83.6, None),
    _row("o3", 83.3, None),
    _row("Claude-3.5-Sonnet", 65.78, (72.00, 69.67, 55.67), (11.4, 28.8, 19.5), source=_PAPER),
    _row("GPT-4o", 61.22, (66.00, 62.00, 55.67), (15.6, 28.0, 13.3), source=_PAPER),
    _row("Qwen2.5-VL-72B", 60.22, (69.33, 61.00, 50.33), (9.7, None, None)),
    _row("Qwen2.5-VL-7B", 47.44, (58.33, 44.33, 39.67), (2.2, None, None)),
    _row("VideoLLaMA3-7B", 47.00, (60.33, 46.00, 34.67), (-0.5, None, None)),
    _row("InternVL2-8B", 37.44, (47.33, 33.33, 31.67), (-8.5, 23.9, 45.5), source=_PAPER),
    _row("LLaVA-Video-7B", 36.11, (41.67, 33.33, 33.33), (-5.3, None, None)),
    _row("LLaVA-OneVision-7B", 33.89, (40.00, 31.00, 30.67), (-5.6, 18.2, 42.2), source=_PAPER),
    _row("LongVA-7B", 23.98, (24.00, 24.33, 23.67), (-7.0, None, None)),
    _row("VILA1.5-8B", 20.89, (20.33, 17.33, 25.00), (5.9, None, None)),
)
