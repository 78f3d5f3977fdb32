"""Write an image as PNG with nothing but zlib."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write ``image``, uint8 [H, W, 3] RGB, losslessly; the file appears whole or not at all.

    Raises ArgumentError for another dtype or shape. Source: PNG 1.2 (RFC 2083), filter type 2.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ArgumentError(
            f"write_png {path.name}: got {image.dtype}{image.shape}; wants uint8 [H, W, 3]"
        )
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, width * 3)
    # Each row minus the one above (mod 256): slides and sky become runs of zeros.
    body = np.empty((height, width * 3 + 1), np.uint8)
    body[:, 0] = _FILTER_UP
    body[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=body[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    part = path.with_name(path.name + ".part")
    try:
        # Renaming over a device would put a file in its place.
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ArgumentError(f"{path}: got what is no file; name a new one for the picture")
        with part.open("wb") as file:
            file.write(_SIGNATURE)
            file.write(_chunk(b"IHDR", header))
            file.write(_chunk(b"IDAT", zlib.compress(body.data, 6)))
            file.write(_chunk(b"IEND", b""))
        part.replace(path)
    except OSError as error:
        raise ArgumentError(
            f"{path}: the picture cannot be written ({error.strerror}); choose another place"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _chunk(kind: bytes, payload: bytes) -> bytes:
    """Length, type, payload, checksum of type and payload."""
    return (
        struct.pack(">I", len(payload))
        + kind
        + payload
        + struct.pack(">I", zlib.crc32(kind + payload))
    )
