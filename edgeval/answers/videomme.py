"""Video-MME's reading of a letter, as its authors have it and as VLMEvalKit took it over.

Source: the script that BradyFU/Video-MME@8889f313 names, thanku-all/parse_answer@
afd52cfe3dde5b3685e0d4f760c10c756860c758, and open-compass/VLMEvalKit@
e8e78f05f3080fe28154f2130321f17951c3be94, vlmeval/dataset/utils/videomme.py.
"""

from __future__ import annotations

import re

# Two of them are two phrases run together (a comma is missing in both codes), so that the phrases
# themselves stay in the text and their own capitals can be taken for the answer.
VLMEVAL_LEADS = (
    *("The best answer is", "The correct answer is", "The answer is", "The answer"),
    *("The best option isThe correct option is", "Best answer:Best option:"),
    *("Answer:", "Option:"),
)
LEADS = (*VLMEVAL_LEADS, "The correct answer", "The correct option")


def first_letter(
    response: str, leads: tuple[str, ...] = LEADS, letters: str = "ABCD"
) -> str | None:
    """The first of ``letters`` that is left once ``leads`` are cut out, wherever it stands.

    So "Best option: (D)" is B and "Choice A" is C. Source: extract_characters_regex.
    """
    text = response.strip()
    for lead in leads:
        text = text.replace(lead, "")
    match = re.search(f"[{letters}]", text)
    return match.group() if match else None
