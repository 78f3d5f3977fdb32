"""Video-MME: 900 videos from eleven seconds to an hour, three questions each, subtitles or not.

A data folder is the Hugging Face download with its archives unpacked beside the questions:

    videomme/test-*.parquet  (or test*.parquet, .jsonl, .json)
        {"video_id", "duration": "short" | "medium" | "long", "domain", "sub_category", "videoID",
         "question_id", "task_type", "question", "options": ["A. ...", ...], "answer": "A"}
    data/<videoID>.mp4  (or .MP4, .mkv)
    subtitle/<videoID>.srt    744 of the 900 have one; the others are asked without

Source: BradyFU/Video-MME@8889f313 (README, evaluation) and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/videomme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

from edgeval import tally
from edgeval.answers import lmms_choice, option_letters, strip_reasoning
from edgeval.answers.videomme import VLMEVAL_LEADS, first_letter
from edgeval.benchmarks import folder
from edgeval.benchmarks.base import Benchmark, DataCheck
from edgeval.dataset import Cue, Row, filled, read_srt, texts
from edgeval.errors import DataError, VideoError
from edgeval.figures import Figure, Reference, Report
from edgeval.types import Ask, Clip, Question, Record, Score

OFFICIAL, LMMS_EVAL, VLMEVAL = RULES = ("official", "lmms-eval", "vlmeval")
TASKS = MappingProxyType(
    {
        "video": ("videomme",),
        "subtitles": ("videomme_w_subtitle",),
        "blind": ("videomme_no_visual",),
    }
)
TAGS = ("duration", "domain", "sub_category", "task_type")
DURATIONS = ("short", "medium", "long")
MAX_NEW_TOKENS = 16
_LETTER = "Answer with the option's letter from the given choices directly."
# The authors give the subtitles at the frames that are seen; lmms-eval those at 32 even ones.
SUBTITLE_FRAMES = 32

_LETTERS = option_letters(4)
_SELECT = (
    "Select the best answer to the following multiple-choice question based on the video. Respond "
    "with only the letter (A, B, C, or D) of the correct option."
)
_GAIN = "gain from subtitles"


def question(row: Row) -> Question:
    """The question of one raw row; only a loader needs the ids and groups. Raises DataError."""
    row_id = str(row.get("question_id") or "a row without a question_id")
    choices = texts(row, "options", row_id)
    answer = filled(row, "answer", row_id)
    if not 2 <= len(choices) <= len(_LETTERS) or answer not in _LETTERS[: len(choices)]:
        raise DataError(
            f"{row_id}: got the answer {answer!r} for {len(choices)} options; wants 2 to 4 of them "
            "and the letter of one"
        )
    video = str(row.get("videoID") or row_id)
    tags = {tag: str(row[tag]) for tag in TAGS if row.get(tag)}
    return Question(
        id=f"videomme:{row_id}",
        row_id=row_id,
        clip_id=video,
        task="videomme",
        text=filled(row, "question", row_id),
        answer=answer,
        kind="choice",
        choices=choices,
        tags={**tags, "video": video},
    )


def clips(root: Path, settings: Sequence[str], tasks: Sequence[str]) -> Iterator[Clip]:
    """One clip a video and setting with its three questions, in file order.

    Raises UnknownName, ArgumentError and DataError.
    """
    for setting, left in folder.chosen("videomme", TASKS, settings, tasks).items():
        for name in left:
            by_video: dict[str, list[Question]] = {}
            for _, asked in folder.asked(_files(root), _read):
                by_video.setdefault(asked.clip_id, []).append(folder.as_task(asked, name))
            for clip_id, group in by_video.items():
                places = [
                    f"{top}{clip_id}{end}" for top in ("data/", "", "video/") for end in _ENDS
                ]
                video = folder.first(root, places)
                yield Clip(
                    id=clip_id,
                    setting=setting,
                    video=None if setting == "blind" else video,
                    questions=tuple(group),
                    transcript=_said(root, clip_id, video) if setting == "subtitles" else None,
                )


_ENDS = (".mp4", ".MP4", ".mkv")


def _files(root: Path) -> tuple[Path, ...]:
    return folder.files(root, "Video-MME", ("videomme/test*.*", "test*.*", "videomme.*"))


def _read(row: Row) -> Question:
    """A row of the dataset itself, which has ids and every group."""
    who = filled(row, "question_id", "a row without an id")
    for key in ("videoID", *TAGS):
        filled(row, key, who)
    return question(row)


def _said(root: Path, clip_id: str, video: Path) -> str | None:
    """What the subtitles say at even moments of the video, a line each; None where it has none."""
    path = folder.first(root, (f"subtitle/{clip_id}.srt", f"subtitles/{clip_id}.srt"))
    if not path.is_file():
        return None
    # Late, because it brings the decoder with it, which listing benchmarks must not load.
    from edgeval.media.probe import probe

    cues = read_srt(path)
    try:
        info = probe(video)
    except VideoError:
        # The run says what is wrong with the video; what would be said with it is of no matter.
        return None
    return "\n".join(cue.text for cue in _heard(cues, info.n_frames, info.fps))


def _heard(cues: Sequence[Cue], n_frames: int, fps: float) -> list[Cue]:
    """The cues that one of SUBTITLE_FRAMES even frames falls in. Source: lmms-eval, as above."""
    last, gaps = n_frames - 1, SUBTITLE_FRAMES - 1
    frames = [last * i // gaps for i in range(SUBTITLE_FRAMES)]
    return [
        cue
        for cue in cues
        if any(int(cue.start_s * fps) <= frame < int(cue.end_s * fps) for frame in frames)
    ]


def ask(clip: Clip, question: Question) -> Ask:
    """The authors' turn, subtitles above it where the clip has some."""
    asked = "\n".join((_SELECT, question.text, *question.choices, "The best answer is:"))
    if clip.transcript:
        asked = f"This video's subtitles are listed below:\n{clip.transcript}\n{asked}"
    return Ask(text=asked, max_new_tokens=MAX_NEW_TOKENS)


def ask_as_lmms_eval(clip: Clip, question: Question) -> Ask:
    """lmms-eval's turn. Source: lmms-eval@75571cfe, tasks/videomme/utils.py and its yaml files."""
    ending = "The best answer is:" if clip.transcript else f"\n{_LETTER}"
    # These words in both settings, subtitles or none.
    select = _SELECT.replace("the video.", "the video and the subtitles.")
    text = "\n".join((select, question.text, *question.choices, ending))
    return Ask(text=_heard_before(clip) + text, max_new_tokens=MAX_NEW_TOKENS)


def ask_qwen3_as_lmms_eval(clip: Clip, question: Question) -> Ask:
    """What lmms-eval says to Qwen3-VL alone; same source."""
    options = "\n".join(question.choices)
    text = f"Question: {question.text}\nOptions:\n{options}\nAnswer with the option letter only."
    return Ask(text=_heard_before(clip) + text, max_new_tokens=MAX_NEW_TOKENS)


def _heard_before(clip: Clip) -> str:
    if not clip.transcript:
        return ""
    return f"This video's subtitles are listed below: \n{clip.transcript}\n"


def score(question: Question, response: str) -> tuple[Score, ...]:
    """The answer under each rule.

    What cannot be read ``official`` leaves out of n, ``vlmeval`` gives to a judge, and
    ``lmms-eval``, which strips reasoning first, counts as wrong.
    """
    read = {
        OFFICIAL: first_letter(response),
        LMMS_EVAL: lmms_choice(strip_reasoning(response), _LETTERS),
        VLMEVAL: first_letter(response, VLMEVAL_LEADS),
    }
    return tuple(_scored(rule, letter, question.answer) for rule, letter in read.items())


def _scored(rule: str, letter: str | None, answer: str) -> Score:
    if letter is not None:
        return Score(rule=rule, value=float(letter == answer), parsed=letter, status="scored")
    if rule == VLMEVAL:
        return Score(rule=rule, value=None, parsed=None, status="needs_judge")
    if rule == OFFICIAL:
        # The authors' code calls it wrong, and then counts only what it could read.
        return Score(rule=rule, value=0.0, parsed=None, status="excluded")
    return Score(rule=rule, value=0.0, parsed=None, status="unparsed")


def report(records: Sequence[Record]) -> Report:
    """Accuracy over all, by duration, domain, sub-category and task, and what subtitles add."""
    figures = tuple(figure for rule in RULES for figure in _figures(records, rule))
    have = {(figure.name, figure.rule, figure.group) for figure in figures}
    columns = [("accuracy", group) for group in ("", *(f"duration={one}" for one in DURATIONS))]
    columns += [(name, "") for name in ("accuracy, subtitles", _GAIN, "accuracy, blind")]
    keys = [(name, rule, group) for rule in RULES for name, group in columns]
    return Report(
        benchmark="videomme",
        figures=figures,
        headline=tuple(key for key in keys if key in have),
        references=REFERENCES,
        notes=(*tally.notes(records), *tally.left_out(records)),
    )


def _figures(records: Sequence[Record], rule: str) -> Iterator[Figure]:
    for suffix, asked in tally.by_setting(records, "video"):
        cells = tally.cells(asked, rule)
        yield from tally.broken_down(f"accuracy{suffix}", rule, "", cells, TAGS)
    by_setting = {
        setting: tally.cells([r for r in records if r.setting == setting], rule)
        for setting in ("subtitles", "video")
    }
    if all(by_setting.values()):
        yield tally.fall((_GAIN, rule, ""), by_setting["subtitles"], by_setting["video"])


def check(root: Path) -> DataCheck:
    """Read every question, open every video, and say what is missing or damaged."""
    return folder.check(root, lambda: _files(root), lambda: clips(root, ("video",), ()))


def _reference(name: str, without: float, subtitles: float | None, source: str) -> Reference:
    values = {"accuracy": without}
    if subtitles is not None:
        values["accuracy, subtitles"] = subtitles
    return Reference(name=name, values=values, source=f"{source}, on Video-MME's 2,700")


_AUTHORS, _CARD = "Video-MME README", "model card"
REFERENCES = (
    _reference("Gemini-1.5-Pro", 75.0, 81.3, _AUTHORS),
    _reference("GPT-4o", 71.9, 77.2, _AUTHORS),
    _reference("Video-LLaVA", 39.9, 41.6, _AUTHORS),
    _reference("Qwen2.5-VL-7B", 65.1, 71.6, _CARD),
    _reference("Qwen2.5-VL-3B", 61.5, 67.6, _CARD),
    _reference("Qwen2-VL-2B", 55.6, 60.4, _CARD),
    _reference("InternVL2.5-2B", 51.9, 54.1, _CARD),
    _reference("SmolVLM2-2.2B", 52.1, None, _CARD),
    _reference("SmolVLM2-500M", 42.2, None, _CARD),
    _reference("SmolVLM2-256M", 33.7, None, _CARD),
    _reference("Guessing", 25.0, 25.0, "one of four options each"),
)

BENCHMARK = Benchmark(
    name="videomme",
    title="Video-MME",
    tasks=tuple(task for tasks in TASKS.values() for task in tasks),
    settings=tuple(TASKS),
    default_settings=("video",),
    rules=RULES,
    metric="videomme_perception_score",
    licence="academic research only: evaluate only, do not pass on",
    published="2,700 questions about 900 videos",
    source="BradyFU/Video-MME@8889f313, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[1] / "embedded" / "videomme",
    references=REFERENCES,
    clips=clips,
    ask=ask,
    question=question,
    score=score,
    report=report,
    check=check,
    asks={LMMS_EVAL: ask_as_lmms_eval, f"{LMMS_EVAL}:qwen3_vl": ask_qwen3_as_lmms_eval},
)
