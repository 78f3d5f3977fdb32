"""What speed is measured with: the peer's loop, the counts, the clip, the meters; on the CPU."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeval.device.source import Facts, MeterCard, Rail, State
from edgeval.media.probe import probe
from gpu_check import clip
from gpu_check.results import Results
from gpu_check.watch import Watch

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxscript")


class Steady:
    """A card of 100 W whose memory rises to 9 bytes and falls again."""

    facts = Facts(kind="nvidia", name="made up")
    meter = MeterCard(
        source="a test",
        covers="nothing",
        total_kind="input",
        unit="watts",
        rails=(Rail(name="card", total=True),),
    )
    notes = ()

    def __init__(self) -> None:
        self.bytes = iter((1, 9, 2))

    def read(self) -> tuple[float]:
        return (100.0,)

    def memory(self) -> dict[str, int]:
        return {"device": next(self.bytes, 2)}

    def state(self) -> State:
        return State()

    def close(self) -> None: ...


def test_joules_and_the_most_memory_of_a_stretch() -> None:
    with Watch(Steady()) as watch:
        time.sleep(0.3)
    assert watch.joules == pytest.approx(100 * watch.seconds, rel=0.15)
    assert watch.most_bytes == 9


def test_without_a_meter_nothing_is_claimed() -> None:
    with Watch(None) as watch:
        pass
    assert (watch.joules, watch.most_bytes) == (None, None)


def test_the_clip_is_the_same_every_time(tmp_path: Path) -> None:
    one, other = (clip.make(tmp_path / name, 84, 112) for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    assert probe(one).n_frames == clip.FPS * clip.SECONDS
    assert clip.plan(one, 4).indices == (0, 42, 85, 127)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, hf) -> Path:
    from gpu_check.checkpoint import SHAPES, make

    return make(SHAPES["tiny"], tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.mark.parametrize("size", ["tiny", "2b"])
def test_counted_weights_are_the_models(hf, checkpoint: Path, tmp_path: Path, size: str) -> None:
    from gpu_check.checkpoint import MODEL_TYPE, SHAPES, texts_of, write_tokenizer
    from gpu_check.counting import counts
    from gpu_check.families import model_class

    ids = write_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "config.json").write_text(texts_of(SHAPES[size], ids)["config.json"])
    kind = model_class(MODEL_TYPE)
    with torch.device("meta"):
        model = kind(kind.config_class.from_pretrained(tmp_path))
    tower = model.model.visual

    def n(*modules) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    found = counts(SHAPES[size])
    text = model.model.language_model
    assert found.text == n(text.layers, text.norm)
    assert found.head == model.lm_head.weight.numel()
    assert found.blocks == n(tower.blocks, tower.patch_embed)
    assert found.merger == n(tower.merger)


def test_the_peers_loop_says_what_generate_says(checkpoint: Path) -> None:
    from gpu_check.peer import Peer

    torch.set_num_threads(1)
    peer = Peer(checkpoint, attention="eager", device="cpu", dtype=torch.float32)
    pixels = np.random.default_rng(0).standard_normal((2 * 24, 3 * 2 * 14 * 14), np.float32)
    # Two bites of one clip: each a pair of frames, 4 by 6 patches.
    feeds = [
        {"pixel_values": part, "grid_thw": np.array([[1, 4, 6]])} for part in np.split(pixels, 2)
    ]
    video = peer.model.config.video_token_id
    asked = peer.asked([65, *[video] * 12, 66, 67], feeds)
    said = peer.answer(asked, 6)
    wanted = peer.model.generate(
        input_ids=asked.ids,
        attention_mask=torch.ones_like(asked.ids),
        mm_token_type_ids=asked.kinds,
        pixel_values_videos=asked.pixels,
        video_grid_thw=asked.grid,
        max_new_tokens=6,
        min_new_tokens=6,
        do_sample=False,
    )
    assert list(said.token_ids) == wanted[0, asked.ids.shape[1] :].tolist()
    assert len(said.step_s) == 5
    assert min(said.first_s, peer.see(asked), *said.step_s) > 0


def test_a_rehearsal_measures_everything_once(repo: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(repo / "tools/gpu_check"), "--rehearse", "--minutes", "20"]
    command += ["--parts", "limits,speed", "--out", str(tmp_path), "--work", str(tmp_path / "work")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = tmp_path.glob("*.json")
    found = Results(path).read()["parts"]["speed"]["found"]
    assert {"cpu", "transformers_eager", "transformers_sdpa", "sizes"} <= set(found)
    assert found["cpu"]["token_ids"][0] == found["transformers_eager"]["token_ids"][0]
    assert {found[f"questions_{who}"]["n"] for who in ("cpu", "eager", "sdpa")} == {18}
    assert found["graphs_cpu_kept"]["fp32_layers"] == ""
    assert found["sizes"]["prompt_tokens"] > found["sizes"]["pairs"] * 12
    assert "tokens/s over transformers eager" in done.stdout
