"""Targets of the benchmarks: told in a table at the end, met or missed, never a timed test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Aim = Callable[[str, float, float], None]
MEASURED = pytest.StashKey[list[tuple[str, float, float]]]()


@pytest.fixture
def at_least(request: pytest.FixtureRequest) -> Aim:
    """Record a measured figure beside its target: what, got, wanted (got >= wanted meets it)."""
    found = request.config.stash.setdefault(MEASURED, [])

    def record(what: str, got: float, wanted: float) -> None:
        found.append((what, got, wanted))

    return record


@pytest.fixture(scope="session")
def wanted(request: pytest.FixtureRequest) -> None:
    """Skip before anything is made that takes a minute or more."""
    if not request.config.getoption("benchmark_enable"):
        pytest.skip("benchmarks are off; --benchmark-enable turns them on")


@pytest.fixture(scope="session")
def model135m(wanted: None, hf: None) -> Any:
    """A SmolVLM with the text part of SmolLM2-135M and next to no eyes, random weights."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMForConditionalGeneration

    torch.manual_seed(0)
    torch.set_num_threads(1)
    text = {
        "model_type": "llama",
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "head_dim": 64,
        "max_position_embeddings": 8192,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        "rms_norm_eps": 1e-5,
        "pad_token_id": 0,
        "tie_word_embeddings": True,
    }
    eyes = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 16,
    }
    config = SmolVLMConfig(
        pad_token_id=0,
        image_token_id=1,
        tie_word_embeddings=True,
        text_config=text,
        vision_config=eyes,
    )
    model = SmolVLMForConditionalGeneration(config).eval()
    return model.requires_grad_(requires_grad=False)


@pytest.fixture(scope="session")
def shape135m(model135m: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its graphs, a folder for each flavour and precision."""
    from edgeval.export import late, quantise, smolvlm, trace
    from edgeval.export.product import Settings

    folder = tmp_path_factory.mktemp("shape135m")
    for flavour, precision, head in (
        ("plain", "fp32", 8),
        ("ort", "fp32", 8),
        ("ort", "q4", 8),
        ("ort", "q4", 4),
    ):
        name = f"{flavour}-{precision}" + ("-head4" if head == 4 else "")
        for spec in smolvlm.graphs(model135m, flavour):
            traced = trace.trace(spec)
            if spec.name != "embed_tokens":
                settings = Settings(head=head)
                traced = quantise.quantise(
                    traced, precision=precision, flavour=flavour, settings=settings
                )
            late.save(traced, folder / name / f"{spec.name}.onnx")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a target."""
    found = terminalreporter.config.stash.get(MEASURED, [])
    if found:
        terminalreporter.section("targets")
        for what, got, wanted in found:
            verdict = "met" if got >= wanted else "MISSED"
            terminalreporter.write_line(f"{verdict:7} {what}: {got:.3g}, target {wanted:.3g}")
