"""Large weights are not there while a graph is traced, and are right when it is written."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
ort = pytest.importorskip("onnxruntime")

from edgeval.export import trace  # noqa: E402 - needs torch
from edgeval.export.graphspec import GraphSpec  # noqa: E402
from edgeval.export.thin import thin  # noqa: E402


class Twice(torch.nn.Module):
    """A layer that hangs in two places, beside one of the same size."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
        self.again = self.first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.again(self.second(self.first(x)))


class Folded(torch.nn.Module):
    """Computes with a weight instead of in its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.layer.weight.abs().sum()


def spec(module: torch.nn.Module) -> GraphSpec:
    return GraphSpec(
        name="graph",
        module=module,
        arguments=(torch.ones(2, 3, 4),),
        inputs=("x",),
        outputs=("y",),
        input_axes=({0: "n"},),
        output_axes=({0: "n"},),
    )


def test_a_graph_gets_every_weight_in_its_place():
    module = Twice().requires_grad_(requires_grad=False)
    x = torch.randn(5, 3, 4)
    model = trace.trace(spec(module)).whole()
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"x": x.numpy()})
    np.testing.assert_allclose(got, module(x).numpy(), atol=1e-5)


def test_layers_come_back_after_tracing():
    module = Twice().requires_grad_(requires_grad=False)
    before = dict(module.named_parameters())
    trace.trace(spec(module))
    assert {name: id(p) for name, p in module.named_parameters()} == {
        name: id(p) for name, p in before.items()
    }


def test_late_weights_are_called_what_the_checkpoint_calls_them():
    module = Twice().requires_grad_(requires_grad=False)
    traced = trace.trace(spec(module), {module.first: "model.one", module.second: "model.two"})
    assert {weight.layer for weight in traced.late.values()} == {"model.one", "model.two"}


def test_nothing_is_computed_from_a_weight_that_is_not_there():
    with pytest.raises(AssertionError, match="not there yet"):
        trace.trace(spec(Folded().requires_grad_(requires_grad=False)))


@pytest.mark.parametrize(("small", "kind"), [(0, torch.bfloat16), (1 << 20, torch.float32)])
def test_narrow_weights_compute_like_wide_ones(small, kind):
    torch.manual_seed(0)
    table = torch.nn.Embedding(16, 8)
    narrow = torch.nn.Sequential(table, torch.nn.Linear(8, 8), torch.nn.LayerNorm(8))
    narrow = narrow.to(torch.bfloat16).requires_grad_(requires_grad=False)
    wide = torch.nn.Sequential(
        torch.nn.Embedding(16, 8), torch.nn.Linear(8, 8), torch.nn.LayerNorm(8)
    )
    wide.load_state_dict({name: value.float() for name, value in narrow.state_dict().items()})
    thin(narrow, table, small=small)
    ids = torch.arange(16)
    for _ in range(2):
        torch.testing.assert_close(narrow(ids), wide(ids), rtol=0, atol=0)
    assert narrow[1].weight.dtype == kind
