"""Fixtures every test may use, and how hypothesis runs here."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# Slow machines are no failure, and the same commit gets the same examples everywhere.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=60)
settings.register_profile("long", settings.get_profile("house"), max_examples=1_000)
settings.load_profile("house")

# Who asks for torch and its kind, in a test's file or by a fixture; and what a skip says then.
ASKS_TORCH = re.compile(r'importorskip\(\s*"(onnx|torch|transformers)|\b(hf|spread_out)\b')
TORCH_FIXTURES = {"hf", "spread_out"}
TORCHLESS = re.compile("could not import '(onnx|torch|transformers)")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout the tests stand in."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared(repo: Path) -> Path:
    """The folder of evaluation data beside the checkout; skip where it is absent."""
    told = os.environ.get("EDGEVAL_SHARED")  # noqa: TID251 - tests may be told where it is
    root = Path(told) if told else repo.parent / "shared"
    if not root.is_dir():
        pytest.skip("evaluation data (../shared or $EDGEVAL_SHARED) is not on this machine")
    return root


@pytest.fixture(scope="session")
def hf() -> Iterator[None]:
    """torch and transformers ready to import, also beside a torchvision that cannot load.

    A CUDA wheel of torchvision beside a CPU torch lacks its operators; what the tests use needs
    none of them, so it is enough to declare their names before transformers looks.
    """
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    library = None
    spec = importlib.util.find_spec("torchvision")
    if spec is not None and spec.submodule_search_locations:
        try:
            importlib.import_module("torchvision")
        except RuntimeError:
            source = Path(spec.submodule_search_locations[0], "_meta_registrations.py").read_text()
            names = set(re.findall(r'register_fake\("torchvision::(\w+)"', source))
            names |= set(re.findall(r'register_meta\("(\w+)"', source))
            library = torch.library.Library("torchvision", "DEF")
            for name in sorted(names):
                library.define(f"{name}(Tensor a) -> Tensor")
    yield
    del library


@pytest.fixture(scope="session")
def spread_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried model's 4-bit decoder with its numbers written out.

    In float32 with GroupQueryAttention, which the carried one in float32 has not.
    """
    onnx = pytest.importorskip("onnx")
    from edgeval.modelfolder import manifest

    model = onnx.load(manifest.find("tiny") / "onnx/decoder_model_merged_q4.onnx")
    known = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "MatMulNBits":
            continue
        bits, k, n = (next(a.i for a in node.attribute if a.name == x) for x in ("bits", "K", "N"))
        packed, scales = (known[name] for name in node.input[1:3])
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        whole = (packed[..., None] >> shifts & (2**bits - 1)).reshape(n, -1)[:, :k]
        blocks = np.repeat(scales.reshape(n, -1), packed.shape[-1] * 8 // bits, axis=1)[:, :k]
        weight = (whole.astype(np.float32) - 2 ** (bits - 1)) * blocks
        name = f"{node.input[1]}.written_out"
        model.graph.initializer.append(
            onnx.numpy_helper.from_array(np.ascontiguousarray(weight.T), name)
        )
        put = onnx.helper.make_node("MatMul", [node.input[0], name], node.output, name=node.name)
        node.CopyFrom(put)
    path: Path = tmp_path_factory.mktemp("spread_out") / "decoder_model_merged.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--kills N``: how often the resume test kills a run; hundreds when asked."""
    parser.addoption("--kills", type=int, default=4, help="kill -9 so often in the resume test")
    parser.addoption(
        "--wanting-torch", action="store_true", help="only tests that skip where torch is not"
    )


def wants_torch(item: pytest.Item) -> bool:
    """Whether the test's file or one of its fixtures asks for torch, transformers or onnx."""
    if TORCH_FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    return bool(ASKS_TORCH.search(item.path.read_text(encoding="utf-8")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under --wanting-torch leave out the rest, and benchmarks, which are off there."""
    if not config.getoption("--wanting-torch"):
        return
    wanting = [item for item in items if "bench" not in item.path.parts and wants_torch(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanting)])
    items[:] = wanting


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped for want of torch, and that --wanting-torch would not run, fails.

    Else nothing would ever run it.
    """
    report = yield
    if report.skipped and TORCHLESS.search(str(report.longrepr)) and not wants_torch(item):
        report.outcome = "failed"
        report.longrepr = (
            "skips without torch, but --wanting-torch leaves it out (tests/conftest.py)"
        )
    return report
