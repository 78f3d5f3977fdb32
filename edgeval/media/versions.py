"""Which FFmpeg decodes here: the one that came with PyAV, not the system's."""

from __future__ import annotations

import av


def ffmpeg_version() -> str:
    """Version of the FFmpeg libraries in use, "8.1.2"."""
    return str(av.ffmpeg_version_info)
