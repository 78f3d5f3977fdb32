"""What Video-MMMU says to the model, byte for byte. No system turn; at most 1,024 new tokens.

Source: lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/videommmu (utils.py,
_default_template_yaml); with transcript: VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143, same
folder, which alone has that setting.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeval.answers import option_letters
from edgeval.types import Ask, Clip, Question

MAX_NEW_TOKENS = 1024

_LEARN = "You should watch and learn the video content. Then apply what you learned to "
_AT_END = "The image for this question is at the end of the video.\n"
_CHOICE = f"answer the following multi-choice question. {_AT_END}"
_OPEN = f"answer the following open-ended question. {_AT_END}"
_IGNORE = "\nPlease ignore the Quiz question in last frame of the video."
_NO_TRANSCRIPT = "[Transcript not available]"


def ask(clip: Clip, question: Question) -> Ask:
    """The user's turn for one question in the clip's setting."""
    with_options = f"{question.text}\n{lettered(question.choices)}"
    adapts = question.tags["track"] == "adaptation"
    lead = _LEARN + (_CHOICE if question.kind == "choice" else _OPEN) if adapts else ""
    tail = "" if adapts else _IGNORE
    if clip.setting == "question-only":
        text = with_options
    elif clip.setting == "transcript":
        said = clip.transcript.strip() if clip.transcript is not None else _NO_TRANSCRIPT
        text = (
            f"{lead}\nTranscript for the Video:\n{said}\n\n"
            f"Question for the video:\n{with_options}{tail}"
        )
    elif adapts and question.kind != "choice":
        # One adaptation row has options but no type: the authors ask it without them.
        text = f"{lead}{question.text}"
    else:
        text = f"{lead}{with_options}{tail}"
    return Ask(text=text, max_new_tokens=MAX_NEW_TOKENS)


def lettered(options: Sequence[str]) -> str:
    """One option a line after its letter; as they are when every one begins with its own."""
    pairs = list(zip(option_letters(len(options)), options, strict=True))
    if all(option.startswith(f"{letter}.") for letter, option in pairs):
        return "\n".join(options)
    return "\n".join(f"{letter}. {option}" for letter, option in pairs)
