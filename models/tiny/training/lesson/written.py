"""The page and its pictures, as files."""

from __future__ import annotations

import json
from pathlib import Path

from edgeval.png import write_png
from training.lesson import drawing
from training.lesson.asking import TRUE
from training.lesson.counted import Measured
from training.lesson.page import ENCODED, FIGURES, PAGE, SEEN, page
from training.lesson.results import FOLDER, strip_of


def write(measured: Measured, folder: Path) -> Path:
    """Write page, figures and pictures to ``folder``; the page's path."""
    pictures = folder / FOLDER
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("lesson*"):
        old.unlink()
    figures = measured.figures
    indices = [one["index"] for one in figures["lesson"]["frames"]]
    write_png(pictures / ENCODED, drawing.encoded(measured.video, indices))
    whole = measured.sights[TRUE].squares
    write_png(pictures / SEEN, drawing.seen(whole, figures["model"]["tokens"]))
    for change, sight in measured.sights.items():
        if figures["changes"][change]["like"] == change:
            write_png(pictures / strip_of(change), drawing.strip(sight.squares))
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    (pictures / FIGURES).write_text(text + "\n", encoding="utf-8")
    return rewrite(folder)


def rewrite(folder: Path) -> Path:
    """Write the page anew from its figures, where they are already."""
    figures = json.loads((folder / FOLDER / FIGURES).read_text(encoding="utf-8"))
    (folder / PAGE).write_text(page(figures), encoding="utf-8")
    return folder / PAGE
