"""The PNG writer, read back by Pillow."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeval.errors import ArgumentError
from edgeval.png import write_png


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (64, 33, 3)])
def test_pillow_reads_back_the_same_pixels(tmp_path: Path, shape: tuple[int, int, int]):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_png(tmp_path / "a.png", image)
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_a_strided_view_is_written_as_seen(tmp_path: Path):
    image = np.random.default_rng(1).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", image[::-1, ::2])
    with Image.open(tmp_path / "a.png") as read:
        np.testing.assert_array_equal(np.asarray(read), image[::-1, ::2])


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_another_shape_is_refused(tmp_path: Path, shape: tuple[int, ...]):
    with pytest.raises(ArgumentError, match="wants uint8"):
        write_png(tmp_path / "a.png", np.zeros(shape, np.uint8))


def test_nothing_is_left_when_the_folder_is_missing(tmp_path: Path):
    with pytest.raises(ArgumentError, match="cannot be written"):
        write_png(tmp_path / "no" / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
