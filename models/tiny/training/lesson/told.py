"""What the page says of each change: how it is asked, what it shows, what it does not."""

from __future__ import annotations

from dataclasses import dataclass

from training.lesson.asking import QUESTION_ONLY, TRUE

LIBRARY = "the library, see below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``name``: the variant; ``title``: as the page calls it; ``asked``: behind `edgeval run`."""

    name: str
    title: str
    asked: str
    shows: str = ""
    does_not: str = ""


CHANGES = (
    Change(name=TRUE, title="as it is", asked="--setting video"),
    Change(
        name="q4",
        title="four bits",
        asked="--precision q4",
        shows="The same frames and the same prompt through weights of four bits: only the "
        "arithmetic differs.",
        does_not="That nothing changed where scores are equal: the last column of the table counts "
        "the answers that are the same. What four bits cost a model a thousand times as large is "
        "another matter.",
    ),
    Change(
        name="frames=8",
        title="8 frames",
        asked="--frames 8,16,32",
        shows="Fewer frames than slides: what was asked may stand on a slide that no frame shows.",
        does_not="That real videos need more than eight frames. These lessons say something new "
        "every two seconds; few lectures do.",
    ),
    Change(
        name="frames=16",
        title="16 frames",
        asked="--frames 8,16,32",
        shows="Every slide is shown, some of them twice. What the model knows of a lesson cannot "
        "have become less, so a fall is about how many frames it was trained on.",
        does_not="That more frames harm a model, or help it: it shows the habits of this one.",
    ),
    Change(
        name="frames=32",
        title="32 frames",
        asked="--frames 8,16,32",
        shows="Every slide two or three times, in a longer prompt.",
        does_not="That frames are noise: as with 16, a fall says that the model is bound to its "
        "number of frames.",
    ),
    Change(
        name="single",
        title="one frame",
        asked="--ablate single",
        shows="One frame, and since the question promises that the last frame has the quiz, it is "
        "that one. What is left of the score comes from the quiz slide, the options and luck.",
        does_not="What one well-chosen frame of the lesson would do.",
    ),
    Change(
        name="reverse",
        title="reversed",
        asked="--ablate reverse",
        shows="The same frames, the last first; the quiz stays at the end. Questions about order "
        "should fall, look-ups do not have to.",
        does_not="That the order is gone: the prompt tells each frame's own time, so a model that "
        "read the times could turn the lesson round again. Nor that a model which falls "
        "understands time: neighbours are still neighbours, on the other side.",
    ),
    Change(
        name="shuffle",
        title="shuffled",
        asked="--ablate shuffle",
        shows="The same frames in an order drawn from the seed, the quiz at the end. What was "
        "shown is all there, out of its order.",
        does_not="What an order lost for good would cost: each frame's time still stands in the "
        "prompt, and the example slides of such a lesson show two neighbours side by side.",
    ),
    Change(
        name="first half",
        title="first half",
        asked=LIBRARY,
        shows="The first twelve seconds: title, rule, and the first entries. Questions about what "
        "came later cannot be answered, nor the quiz, which comes last.",
        does_not="How an answer grows with time; for that every second would have to be cut.",
    ),
    Change(
        name="no quiz",
        title="quiz image away",
        asked=LIBRARY,
        shows="The lesson whole but for its last slide. Only adaptation asks about the quiz, the "
        "other two tracks are told to ignore it: adaptation alone should fall.",
        does_not="That adaptation is understood: reading the quiz slide is needed for a right "
        "answer, and is not enough for one.",
    ),
    Change(
        name="wrong-video",
        title="another's video",
        asked="--ablate wrong-video",
        shows="The next lesson's video under this lesson's question. As many tokens as before, of "
        "the same sort, with nothing of use in them.",
        does_not="A guess: lessons share colours, shapes and names, so that a sign of the other "
        "lesson can stand among the options.",
    ),
    Change(
        name="blind",
        title="blind",
        asked="--ablate blind",
        shows="The question without any video. At chance, neither the wording nor the options "
        "give the answer away to this model; below, answers have lost their form as well.",
        does_not="That nothing leaks: a model trained blind on purpose would look harder "
        "([TRAINING.md](TRAINING.md)).",
    ),
    Change(
        name=QUESTION_ONLY,
        title="question only",
        asked="--setting question-only",
        shows="Video-MMMU's own control: the quiz image as a two-second video and the bare "
        "question. What adaptation gains over it was learnt from the lesson.",
        does_not="Anything of the other two tracks, which have no such setting. Nor is it the "
        "image alone that changes: the wording is another one, which this model may not know.",
    ),
    Change(
        name="cot",
        title="step by step",
        asked="--prompting cot --max-new-tokens 64",
        shows="Another wording: \u201cLet's think step by step.\u201d, then the answer in a turn "
        "of its own, at most 64 tokens each. The lesson is the same, so a fall is about words.",
        does_not="Whether thinking helps: this model already answers with its steps, and was never "
        "trained on a second turn.",
    ),
    Change(
        name="think-answer",
        title="think and answer tags",
        asked="--prompting think-answer --max-new-tokens 64",
        shows="Another wording again: thoughts and answer are asked for in tags, in at most 64 "
        "tokens.",
        does_not="What the tags are worth to a model that was trained on them.",
    ),
)
