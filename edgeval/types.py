"""The nouns, in the order they flow: clip, question, plan, frames, prompt, generation, record.

Values only: frozen, slotted, keyword-only. Meaning is checked here once (``__post_init__``); arrays
carry shape and unit in the docstring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Caption = tuple[float, str]
Kind = Literal["choice", "number", "text"]
Order = Literal["forward", "reverse", "shuffle"]
How = Literal[
    "linspace_floor",
    "linspace_round",
    "segment_midpoints",
    "segment_centres",
    "stride",
    "fps",
    "smolvlm",
    "nested",
    "fps_linspace",
    "indices",
    "times",
]
Stop = Literal["eos", "length", "stop_text"]
Status = Literal["scored", "excluded", "unparsed", "needs_judge", "error"]
FailureKind = Literal["video", "model", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to ask about a clip.

    ``row_id`` is the dataset's own id; ``id`` is "<task>:<row_id>", unique in a run; ``task`` is
    lmms-eval's task name. ``kind`` is how the benchmark's own rule reads the answer; ``choices``
    may be there for a text question too (Video-MMMU has such a row). ``tags`` are what scores are
    grouped by (track, subject, ...).
    """

    id: str
    row_id: str
    clip_id: str
    task: str
    text: str
    answer: str
    kind: Kind
    choices: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ArgumentError for a choice question without choices."""
        if self.kind == "choice" and not self.choices:
            raise ArgumentError(f"question {self.id}: got kind 'choice' and no choices; wants some")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One video, or none (blind), with every question asked about it in one ``setting``.

    ``must_see_last``: the last frame carries what is asked (Video-MMMU's adaptation image), so
    every plan has it. ``segment_s``: only this part of the video, start and end in seconds.
    ``image``: one more picture, shown after the frames. ``system``: what the system turn says.
    ``captions``: (time in seconds, text) to stand between the frames, where a family can.
    ``variant``: "" as the benchmark has it, else how this asking differs
    (edgeval.analyses.variants).
    """

    id: str
    setting: str
    video: Path | None
    questions: tuple[Question, ...]
    transcript: str | None = None
    must_see_last: bool = False
    segment_s: tuple[float, float] | None = None
    image: Path | None = None
    system: str = ""
    captions: tuple[Caption, ...] = ()
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketIndex:
    """The packets of one video stream in decode order, and which of them are shown when.

    ``stream`` is its index in the file; ``pts`` and ``dts``: int64 [P] in ``time_base`` seconds
    (NO_TIMESTAMP where the file has none); ``key``: bool [P], decoding may start here; ``order``:
    int64 [n_frames], the packet of each displayed frame. ``sequential``: times cannot name a frame
    here, so frame i is the i-th that a decode from the start gives, and the arrays are empty.
    """

    stream: int
    time_base: Fraction
    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    key: NDArray[np.bool_]
    order: NDArray[np.int64]
    sequential: bool = False

    NO_TIMESTAMP: ClassVar[int] = -(1 << 63)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What the index of a file says, before a picture is decoded.

    ``fps`` is the stream's average rate in frames/s, ``duration_s`` in seconds, ``width`` x
    ``height`` the coded picture in pixels before ``rotation_deg`` (clockwise, multiple of 90) is
    applied. ``n_frames`` counts displayed frames. ``pts_s``: float64 [n_frames], presentation times
    in seconds, ascending. ``index`` is what decoding needs (probed again where it is None).
    """

    path: Path
    n_frames: int
    fps: float
    duration_s: float
    width: int
    height: int
    rotation_deg: int
    pix_fmt: str
    codec: str
    pts_s: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    index: PacketIndex | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRule:
    """Which frames to take. ``source`` names whose rule it is (file and commit, or 'user').

    ``short``: what to do with a video of fewer frames than ``n`` or ``multiple`` (repeat is up to
    the rule). ``fps_linspace``: as ``fps``, then at most ``n`` of those, spread evenly. ``counts``:
    what is a frame to the rule, one that is shown or a packet (decord's way; a frame that is not
    shown repeats the one taken before it). ``rate``: whose frames a second these are, the header's
    or those of the packets (torchcodec's way).
    """

    how: How
    n: int | None = None
    fps: float | None = None
    min_n: int | None = None
    max_n: int | None = None
    multiple: int = 1
    order: Order = "forward"
    seed: int = 0
    indices: tuple[int, ...] = ()
    times_s: tuple[float, ...] = ()
    include_last: bool = False
    short: Literal["repeat", "fewer", "refuse"] = "repeat"
    counts: Literal["shown", "packets"] = "shown"
    rate: Literal["header", "packets"] = "header"
    source: str = "user"

    def __post_init__(self) -> None:
        """Raise ArgumentError when a number the rule needs is missing or senseless."""
        counted = ("linspace_", "segment_", "nested", "fps_linspace")
        if self.how.startswith(counted) and not (self.n and self.n > 0):
            raise ArgumentError(f"frame rule {self.how!r}: got n={self.n}; wants n >= 1")
        if self.how in ("fps", "smolvlm", "fps_linspace") and not 0 < (self.fps or 0) < float(
            "inf"
        ):
            raise ArgumentError(f"frame rule {self.how!r}: got fps={self.fps}; wants fps > 0")
        if self.how == "indices" and not self.indices:
            raise ArgumentError("frame rule 'indices': got none; wants at least one index")
        if self.how == "times" and not self.times_s:
            raise ArgumentError("frame rule 'times': got none; wants at least one time in seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlan:
    """The frames to take: display indices in the order they are shown; one may come twice.

    ``named``: the indices as the rule names them, where it counts more than is shown; else empty.
    """

    info: VideoInfo
    indices: tuple[int, ...]
    rule: FrameRule
    named: tuple[int, ...] = ()


# AVChromaLocation's names; "center" is also what swscale takes the unspecified for.
ChromaSite = Literal["left", "center", "topleft", "top", "bottomleft", "bottom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One decoded picture, before any arithmetic; lent for the length of a call, not to be kept.

    Either ``planes``: Y, U, V as uint8 or uint16 (``bit_depth`` > 8) [h, w] views, rows strided,
    chroma subsampled as the shapes say; or ``rgb``: uint8 [H, W, 3] where the kernels do not take
    the format (``planes`` is None then). ``site``: where the first chroma sample lies against the
    luma beside it. ``interlaced``: two pictures, in the even and the odd rows. ``rotation_deg`` is
    clockwise and still to be applied.
    """

    planes: tuple[Plane, Plane, Plane] | None
    rgb: NDArray[np.uint8] | None
    bit_depth: int = 8
    matrix: Literal["bt601", "bt709", "bt2020"] = "bt601"
    full_range: bool = False
    site: ChromaSite = "center"
    interlaced: bool = False
    rotation_deg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Decoded frames in plan order.

    ``pixels``: one array per frame as the family's shrink made it (uint8 [h, w, 3] by default).
    ``pts_s``: float64 [T], the times really got. ``digests``: sha256 of each frame's uint8 RGB [H,
    W, 3] bytes, when asked for. ``pictures``: sha256 of each decoded picture before any arithmetic,
    when asked for. ``damage``: what was lost or suspect, empty for a sound file. ``stills``:
    pictures that are not of the video, shown after its frames.
    """

    plan: FramePlan
    pixels: tuple[NDArray[np.generic], ...]
    pts_s: NDArray[np.float64]
    digests: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    stills: tuple[NDArray[np.generic], ...] = ()
    decode_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something already said in a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a benchmark says to the model: the user's turn and the longest answer, in tokens.

    ``prefill``: how the answer is made to begin; it is part of the prompt, not of the generation.
    ``history``: turns before this one; the first user turn of all is the one with the video.
    """

    text: str
    max_new_tokens: int
    prefill: str = ""
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How tokens are chosen. Greedy unless ``temperature`` > 0.

    Then seeded, so the same seed gives the same tokens.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    max_new_tokens: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ArgumentError outside the usual domains."""
        warm = 1e-6 <= self.temperature < float("inf")  # Below, logits divided by it overflow.
        if not (warm or self.temperature == 0) or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise ArgumentError(
                f"decoding: got temperature={self.temperature}, top_p={self.top_p}, "
                f"top_k={self.top_k}; "
                "wants temperature 0 or >= 1e-6, 0 < top_p <= 1, top_k >= 0"
            )
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            raise ArgumentError(f"decoding: got max_new_tokens={self.max_new_tokens}; wants >= 1")
        for text in self.stop:
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ArgumentError(f"decoding: got stop={text!r}; wants UTF-8 text") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds spent on one answer.

    All before ``prefill_s`` is paid once per clip and shared by its questions. ``other_turns_s``:
    what the way of prompting generated besides this answer (thoughts, samples, votes).
    ``together``: the most answers in one step; above 1 ``step_s`` are shares and no wait is known.
    """

    decode_s: float = 0.0
    preprocess_s: float = 0.0
    vision_s: float = 0.0
    prefix_s: float = 0.0
    prefill_s: float = 0.0
    step_s: tuple[float, ...] = ()
    other_turns_s: float = 0.0
    together: int = 1

    @property
    def clip_s(self) -> float:
        """What was paid once for the clip."""
        return self.decode_s + self.preprocess_s + self.vision_s + self.prefix_s

    @property
    def question_s(self) -> float:
        """What this question alone took, every turn of it."""
        return self.other_turns_s + self.prefill_s + sum(self.step_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question as the model gets it: text before image tokens are expanded, and token ids."""

    text: str
    token_ids: tuple[int, ...]
    shared_prefix_len: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """What is kept of the logits [V] behind a prompt.

    ``sha256`` is over them as little-endian float32; ``top``: the largest, (token id, logit).
    """

    sha256: str
    top: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What came out. ``token_ids`` are the new tokens, without the one that stopped it."""

    text: str
    token_ids: tuple[int, ...]
    stop: Stop
    timing: Timing
    stop_id: int | None = None
    logits: Logits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One answer under one rule. ``value`` in [0, 1] or None.

    ``parsed`` None when the rule could not read it.
    """

    rule: str
    value: float | None
    parsed: str | tuple[str | float, ...] | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a question has no answer; it stays in n and is worth 0."""

    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDigest:
    """What a record keeps of a prompt. ``sha256`` is over the token ids as little-endian int64."""

    text: str
    n_tokens: int
    shared_prefix_len: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What a record keeps of the stages before an answer, so that a replay can compare them.

    ``pictures``: sha256 of each decoded picture, before any arithmetic; ``pixels``: of the float32
    tensor as fed; ``prompt_ids``: the prompt's token ids, each with how often it comes in a row.
    """

    pictures: tuple[str, ...] = ()
    pixels: str = ""
    prompt_ids: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One asked question: what was seen, said and scored, or why not.

    ``video`` is relative to the data folder. ``answer`` is the text that was scored; ``turns`` and
    ``note`` are what the way of prompting said before and about it. ``stages`` None: none was kept.
    """

    question: Question
    setting: str
    variant: str = ""
    frame_indices: tuple[int, ...] = ()
    video: str = ""
    video_sha256: str = ""
    prompt: PromptDigest | None = None
    generation: Generation | None = None
    answer: str = ""
    scores: Mapping[str, Score] = field(default_factory=dict)
    failure: Failure | None = None
    damage: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    note: str = ""
    stages: Stages | None = None
