"""Write videommmu.json: our own sentences, scored by the original code.

    python make_videommmu.py FOLDER_OF_LMMS_EVAL

FOLDER_OF_LMMS_EVAL is the package folder ``lmms_eval`` of lmms-eval 0.7.3 (its wheel, unpacked);
its video-mmmu folder still carries the authors' multiple-choice parser, the open parser is the same
in both. Nothing of it is kept here but the results.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
TAGS = [["<think>", "</think>"], ["<analysis>", "</analysis>"]]

ROWS = (
    ("lesson_Music_1", ["a slow waltz", "a march", "a reel", "a hymn"], "B", "multiple-choice"),
    ("lesson_Math_2", [str(n) for n in range(10, 20)], "I", "multiple-choice"),
    ("lesson_Art_Theory_3", ["A. ochre", "B. umber", "C. sienna"], "C", "multiple-choice"),
    ("lesson_Physics_4", [f"case {n}" for n in range(14)], "N", "multiple-choice"),
    ("lesson_Finance_5", [], "1234.5", "open"),
    ("lesson_Biology_6", [], "C", "open"),
    ("lesson_Design_7", [], "red brick", "open"),
    ("lesson_Accounting_8", ["profit", "loss", "tax"], "B", None),
)
ANSWERS = (
    *("B", "b", " B", "B\n", "(B)", "[B]", "**B**", "`B`", "$B$", "B)", "B:", "B.", "'B'", '"B"'),
    *("", " ", "API Error", "\\boxed{B}", "<answer>B</answer>", "<think>A or C?</think>B"),
    *("<think>A. first</think> C. then <think>D.</think> I", "no opening </think> N", "<think>B"),
    *(
        "The answer is B.",
        "Answer: I",
        "I choose C",
        "The correct option is (B), not (A).",
        "B or C",
    ),
    *(
        "A teacher draws a curve, and the answer is I.",
        "A. wrong\nB. right\nC. wrong",
        "C: yes B: no",
    ),
    *(
        "it must have been a march and nothing else",
        "DNA and RNA",
        "I do not know.",
        "\uff22",
        "選B",
        "选B",
    ),
    *(
        "답: B",
        "答えはC",
        "case 13 is what the film shows us here",
        "None of these",
        "N. B. C",
        "()",
    ),
    *("1234.5", "1,234.5", "1234.50 dollars", "= 1_234.5", "the total is 1,234.5 now", "1.2345e3"),
    *(
        "It is so: the value is 1234.496",
        "nan",
        "inf",
        "-1e999",
        "\uff11\uff12\uff13\uff14.5",
        "x = 3\ny = 1234.5",
    ),
    *(
        "The wall has red brick",
        "RED BRICK.",
        "this is a cellar",
        "c",
        "C.",
        " c ",
        "is ",
        "is is",
        "=",
    ),
    *(
        "so ",
        "12,345,678",
        "1,23",
        ".5",
        "-.5e2",
        "3.",
        "loss",
        "so the loss is B",
        "answer is (B)",
    ),
    *(
        "\u0130s B \u0131",
        "the answer is \u0130 B",
        "B\r\n",
        "B\u2028C",
        "''B''",
        ".,B,.",
        "B B C",
        "\tB\t",
        "I.",
        "N)",
    ),
    *(
        "<analysis>C</analysis>\n\nB. a march",
        "ends with I",
        "Iota",
        "an I",
        "!?;:",
        "5 apples. So 6",
    ),
)


def main(folder: Path) -> None:
    """Score every answer to every row and write the file."""
    docs = [doc(*row) for row in ROWS]
    rows = [json.dumps(row) for row in scored(docs, folder)]
    lines = [json.dumps(one) for one in docs]
    parts = ['{"docs": [', ",\n".join(lines), '],\n"rows": [', ",\n".join(rows), "]}\n"]
    text = "\n".join(parts)
    (HERE / "videommmu.json").write_text(text, encoding="utf-8")


def doc(row_id: str, options: list[str], gold: str, kind: str | None) -> dict[str, object]:
    return {
        "id": row_id,
        "track": "adaptation",
        "question": "What does the lesson say?",
        "options": options,
        "answer": gold,
        "question_type": kind,
    }


def scored(docs: list[dict[str, object]], folder: Path) -> Iterator[dict[str, object]]:
    task = folder / "tasks"
    legacy = _module(task / "_task_utils" / "mmmu_mcq_utils.py")
    shared = _module(task / "_task_utils" / "mcq_extract.py")
    reasoning = _module(folder / "api" / "reasoning.py")
    parse_open, eval_open = _open_functions(task / "videommmu" / "utils.py")
    for number, (_, options, gold, kind) in enumerate(ROWS):
        letters = [chr(ord("A") + i) for i in range(len(options))]
        for response in ANSWERS:
            stripped = reasoning.strip_reasoning_tags(response, TAGS)
            if kind == "multiple-choice":
                names = dict(zip(letters, options, strict=True))
                old = legacy.parse_videommmu_multi_choice_response(response, letters, names)
                new = shared.extract_mcq_answer(stripped, letters) or "No Answer Found."
                parsed, right = (old, new), (old == gold, new == gold)
            else:
                parsed = (parse_open(response), parse_open(stripped))
                right = tuple(x != "API Error" and eval_open(gold, x) for x in parsed)
            yield {
                "doc": number,
                "response": response,
                "official": _outcome(parsed[0], right=right[0]),
                "lmms-eval": _outcome(parsed[1], right=right[1]),
            }


def _outcome(parsed: object, *, right: bool) -> dict[str, object]:
    if isinstance(parsed, list):
        parsed = sorted(str(term) for term in parsed)
    return {"parsed": parsed, "score": int(right), "excluded": parsed == "API Error"}


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _open_functions(path: Path) -> tuple[Callable[..., object], Callable[..., bool]]:
    """The two functions alone: the module itself wants HF_HOME and yaml when imported."""
    source = path.read_text(encoding="utf-8")
    wanted = "extract_numbers|check_is_number|normalize_str|parse_open_response|eval_open"
    parts = re.findall(rf"^def (?:{wanted})\(.*?(?=^\S(?!.*\):$)|\Z)", source, re.M | re.S)
    names: dict[str, object] = {}
    exec("import re\n" + "\n".join(parts), names)  # noqa: S102 (code the caller named)
    return names["parse_open_response"], names["eval_open"]  # type: ignore[return-value]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
