"""Write mmvu.json and longvideobench.json: our own sentences, scored by the original code.

    python make_lmms_rules.py FOLDER_OF_LMMS_EVAL

FOLDER_OF_LMMS_EVAL is the package folder ``lmms_eval`` of lmms-eval 0.7.3 (its wheel, unpacked).
Nothing of it is kept here but the results.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

HERE = Path(__file__).parent
TAGS = [["<think>", "</think>"], ["<analysis>", "</analysis>"]]

OPTIONS = ("a red brick", "the dark sea", "Cable cars run", "to", "No -- 'none' of them")
OPEN = ("red brick", "O(n²)", "12.5 km", "a to b", "Nernst equation, reversed", "x")
ANSWERS = (
    *("A", "b", "(C)", "D.", "E:", "_B_", "B1", "BC", "A or B", "A\nB\nC\nD\nE", "\uff22", "选B"),
    *("", " ", "\n", "\u0130", "None", "<answer>D</answer>", "<think>A</think>E", "</think> c"),
    *("It is a wall.", "A RED BRICK", "the dark", "some sea, ABCDE", "cable", "No", "none of them"),
    *(
        "The answer is B",
        "The answer B",
        "The best answer is C.",
        "Best answer: D",
        "Best option: E",
    ),
    *(
        "The best option is B",
        "The correct option is D",
        "Answer: E",
        "Option: B",
        "the answer is d",
    ),
    *("well we looked at all of it for a very long time", "EXPLAIN", "so many words and no letter"),
    *("brick red", "red, brick!", "red", "brick", "redbrick", "the brick was not red at all"),
    *("o(N^2)", "O (n^2) time", "O(n)", "O()", "O(", "O() O(n^2)", "n^2", "n²", "12.505", "12.51"),
    *(
        "12,5",
        "about 12.5",
        "13",
        "\u0661\u0662.5",
        "1" * 400,
        "km",
        "a b",
        "b to a",
        "c",
        "A TO B",
    ),
    *("reversed Nernst equation", "equation 'Nernst' (reversed)", "Nernst equation", "X-ray", "ax"),
)


def main(folder: Path) -> None:
    """Score every answer to every row and write both files."""
    reasoning = _strip(folder)
    mmvu = _functions(folder, "mmvu", "normalize_math_notation|evaluate_with_rule_based")
    rows = list(_mmvu(mmvu["evaluate_with_rule_based"], reasoning))
    _write("mmvu.json", {"rows": rows})
    names = "timestamp_to_seconds|compute_frame_timestamps|insert_subtitles_into_frames"
    lvb = _functions(folder, "longvideobench", f"{names}|parse_multi_choice_response")
    letters = [
        {
            "response": answer,
            "letter": lvb["parse_multi_choice_response"](reasoning(answer), [], {}),
        }
        for answer in ANSWERS
    ]
    _write("longvideobench.json", {"rows": letters, "captions": list(_captions(lvb))})


def _mmvu(right: Callable[..., bool], strip: Callable[[str], str]) -> Iterator[dict[str, object]]:
    asked = [("multiple-choice", letter) for letter in "ABCDE"]
    asked += [("open-ended", answer) for answer in OPEN]
    for kind, gold in asked:
        choices = dict(zip("ABCDE", OPTIONS, strict=True))
        doc = {"question_type": kind, "answer": gold, "choices": choices}
        for answer in ANSWERS:
            yield {
                "kind": kind,
                "gold": gold,
                "response": answer,
                "right": right(doc, strip(answer)),
            }


def _captions(lvb: dict[str, Callable[..., object]]) -> Iterator[dict[str, object]]:
    for number, duration in enumerate((3.5, 12, 16, 16.0, 16.5, 61.25, 590.0, 3413.7)):
        offset = 40.5 * (number % 3)
        lines: list[dict[str, object]] = []
        at = offset - 2
        for line in range(12):
            end = at + duration / 6 * (7 * line % 12) / 12
            lines.append(_line(number, line, at, end))
            at = end + duration / 40 * (5 * line % 7 - 2)
        frames = lvb["compute_frame_timestamps"](duration)
        shown = str(lvb["insert_subtitles_into_frames"](frames, lines, offset, duration))
        yield {
            "duration": duration,
            "offset": offset,
            "subtitles": lines,
            "shown": ["" if part == "<image>" else part for part in shown.split("\n")],
        }


def _line(number: int, line: int, start: float, end: float) -> dict[str, object]:
    if number % 2:
        stamp = [round(start, 2), int(end) if line == 9 else round(end, 2)]
        return {"timestamp": stamp, "text": f"said {line}"}
    return {"start": _clock(start), "end": _clock(end), "line": f"said {line}"}


def _clock(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:06.3f}"


def _write(name: str, parts: dict[str, list[dict[str, object]]]) -> None:
    lines = [
        f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"
        for key, rows in parts.items()
    ]
    (HERE / name).write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


def _strip(folder: Path) -> Callable[[str], str]:
    path = folder / "api" / "reasoning.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: module.strip_reasoning_tags(text, TAGS)


def _functions(folder: Path, task: str, wanted: str) -> dict[str, Callable[..., object]]:
    """The functions alone: the modules themselves want packages and folders when imported."""
    source = (folder / "tasks" / task / "utils.py").read_text(encoding="utf-8")
    parts = re.findall(rf"^def (?:{wanted})\(.*?(?=^\S(?!.*\):$)|\Z)", source, re.M | re.S)
    names: dict[str, object] = {"random": SimpleNamespace(choice=lambda _: None)}
    exec("import re, string\nfrom typing import Any, Dict\n" + "\n".join(parts), names)  # noqa: S102
    return names  # type: ignore[return-value]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
