"""The tokenizer: byte-level BPE over questions and answers; set sentences are one token.

A line that comes again and again word for word (a benchmark's instructions) is one token, and so is
each word that a frame can say: the first keeps prompts short, the second lets frames say words.
Exercises take no part in it, so that what is practised may change and vision need not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from edgeval.families.smolvlm import FRAME, INTRO
from edgeval.families.smolvlm.words import in_words
from training import seeds
from training.scene import Sample
from training.skills import SKILLS
from training.words import ADDED, PLAIN

SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<end_of_utterance>"),
    *("<fake_token_around_image>", "<global-img>", "<image>", "<video>"),
)
FILE = "tokenizer.json"
VOCABULARY = 1664
MOST_FRAMES = 64
# A phrase is a line so long that comes so often among the texts it is looked for in.
_LONG, _OFTEN, _MOST_PHRASES = 20, 12, 72
_CLIPS = {"lessons": 240, "rooms": 48, "films": 160, "routines": 60}
_SPLIT = r"\d\d:\d\d:|\n[A-J]\.|\n\n| ?[A-Za-z]+(?:-[a-z]+)?| ?\d{1,2}| ?[^\sA-Za-z\d]+|\s+"
# What exercises begin with, and what they say that questions do not.
_HEADS = (
    *("Next", "Before", "Beside", "Back", "Like", "Quiz", "Sum", "Does", "Who", "Look", "Sooner"),
    *("Order", "Off", "Gap", "Turn", "Walk", "Nearer"),
)
_CUES = ("across", "along", "count", "length", "size", "quiz", "rule")
_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "processor_class": "SmolVLMProcessor",
    "bos_token": "<|im_start|>",
    "eos_token": "<end_of_utterance>",
    "pad_token": "<|endoftext|>",
    "fake_image_token": "<fake_token_around_image>",
    "image_token": "<image>",
    "global_image_token": "<global-img>",
    "video_token": "<video>",
    "end_of_utterance_token": "<end_of_utterance>",
    "model_max_length": 4096,
    "clean_up_tokenization_spaces": False,
}


def build(folder: Path, *, run: int, share: float = 1.0) -> Tokenizer:
    """Train the tokenizer of a run and write its files; ``share`` of the clips to learn it from."""
    samples = [
        sample
        for skill, n in _CLIPS.items()
        for sample in SKILLS[skill](
            [seeds.deal(run, "tokenizer", skill, 0, i) for i in range(max(4, int(n * share)))]
        )
    ]
    said = list(_texts(samples))
    phrases = found_phrases(said)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*said, *_always(len(said))], trainer)
    tokenizer.add_tokens(
        [AddedToken(text, normalized=False, special=False) for text in phrases]
        # The space before a frame's word belongs to it, as it does to any other word.
        + [AddedToken(text, normalized=False, special=False, lstrip=True) for text in ADDED]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / FILE))
    config = json.dumps(_CONFIG, indent=1) + "\n"
    (folder / "tokenizer_config.json").write_text(config, encoding="utf-8")
    if split := [word for word in PLAIN if len(tokenizer.encode(f" {word}").ids) != 1]:
        raise ValueError(f"tokenizer: {split} are not one token each; raise VOCABULARY")
    return tokenizer


def found_phrases(said: Sequence[str]) -> list[str]:
    """Parts of prompts that are one token each: the family's own, and lines that come again."""
    fixed = [FRAME.partition("{")[0], INTRO.partition(" {")[0], "[H:MM:SS] video.\n"]
    fixed += ["Assistant:", "User: ", "System: "]
    lines = Counter(line for text in said for line in text.split("\n") if len(line) >= _LONG)
    often = sorted(((n, line) for line, n in lines.items() if n >= _OFTEN), reverse=True)
    return fixed + [line for _, line in often[:_MOST_PHRASES]]


def _texts(samples: Iterable[Sample]) -> Iterable[str]:
    for sample in samples:
        if sample.clip.system:
            yield sample.clip.system
        yield from (text for _, text in sample.clip.captions)
        for asked in sample.asked:
            yield asked.ask.text
            yield f"{asked.ask.prefill}{asked.said}"


def _always(n: int) -> list[str]:
    """Words that have to be one token whatever the texts were: n of each is more than enough."""
    times = [f"{m:02d}:{s:02d}:" for m, s in product(range(2), range(60))]
    counts = [in_words(number) for number in range(1, MOST_FRAMES + 1)]
    letters = [f"\n{letter}." for letter in "ABCDEFGHIJ"] + list("ABCDEFGHIJ")
    numbers = [str(number) for number in range(100)]
    words = [f" {word}" for word in (*PLAIN, *counts, *numbers, *letters, *_CUES)]
    return [*words, *numbers, *times, *letters, *_HEADS] * max(200, n // 20)
