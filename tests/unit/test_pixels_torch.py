"""The exact mode against torchvision and against a Hugging Face video processor, where they are."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeval import pixels
from edgeval.types import Picture

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def functional() -> Iterator[ModuleType]:
    """torchvision.transforms.v2.functional, also where its C extension does not load.

    A CUDA wheel of torchvision beside a CPU torch lacks its operators; resize uses none of them,
    so it is enough to declare their names.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("torchvision is not installed")
    library = None  # its names go with it, so it must outlive the tests
    try:
        import torchvision.transforms.v2.functional as found
    except RuntimeError:
        source = Path(spec.submodule_search_locations[0], "_meta_registrations.py").read_text()
        names = set(re.findall(r'register_fake\("torchvision::(\w+)"', source))
        names |= set(re.findall(r'register_meta\("(\w+)"', source))
        library = torch.library.Library("torchvision", "DEF")
        for name in sorted(names):
            library.define(f"{name}(Tensor a) -> Tensor")
        import torchvision.transforms.v2.functional as found
    yield found
    del library


@pytest.mark.parametrize("resample", ["bilinear", "bicubic", "lanczos"])
def test_exact_resize_equals_torchvision(functional, resample):
    rng = np.random.default_rng(7)
    for most in (12, 60, 60, 300, 300, 300):
        height, width, to_height, to_width = (int(n) for n in rng.integers(1, most, 4))
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        expected = functional.resize(
            torch.from_numpy(image).permute(2, 0, 1),
            [to_height, to_width],
            interpolation=functional.InterpolationMode(resample),
            antialias=True,
        )
        got = pixels.resize(image, height=to_height, width=to_width, resample=resample)
        np.testing.assert_array_equal(got, expected.permute(1, 2, 0).numpy())


def test_two_lanczos_resizes_equal_the_smolvlm_processor(functional):
    del functional  # loaded before transformers looks for it
    module = pytest.importorskip("transformers.models.smolvlm.video_processing_smolvlm")
    processor = module.SmolVLMVideoProcessor(
        size={"longest_edge": 192}, max_image_size={"longest_edge": 128}
    )
    clip = np.random.default_rng(3).integers(0, 256, (2, 90, 160, 3), dtype=np.uint8)
    seen = processor(
        videos=[torch.from_numpy(clip).permute(0, 3, 1, 2)],
        return_tensors="pt",
        do_sample_frames=False,
    )
    recipe = pixels.Recipe(
        sizes=((108, 192), (128, 128)),
        resample="lanczos",
        norm=(tuple(processor.image_mean), tuple(processor.image_std)),
    )
    for frame, expected in zip(clip, seen["pixel_values"][0].numpy(), strict=True):
        got = pixels.see(Picture(planes=None, rgb=frame), recipe)
        np.testing.assert_array_equal(got, expected)
