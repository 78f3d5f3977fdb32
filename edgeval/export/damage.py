"""What fewer bits do to a model's reading: measured on a text, against the checkpoint itself.

Perplexity of the text, how many next tokens are the checkpoint's own first choice, and after how
many tokens a greedy continuation leaves the checkpoint's. The first third of the text is read in
one call, as a run reads a prompt: a graph may do harm there that it does not do token by token.
Where it does, with dynamic activations, prompts that are read in one call are measured besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edgeval.chat.tokenizer import Tokenizer
from edgeval.engines import Graphs
from edgeval.errors import ManifestError
from edgeval.modelfolder import Plain

N_READ, N_SAID = 320, 64
# Every so many tokens a prompt ends whose next token is asked for.
APART = 7
# Written for this, so that no model has learned it by heart.
TEXT = """\
The ferry to the island leaves twice a day, at seven in the morning and at four in the
afternoon. In winter the second boat often stays in the harbour, because the wind from the north
turns the short crossing into two hours of cold water and loose ropes. Last Thursday only three
people were waiting on the pier: a teacher with a box of new books, a boy who held a small brown
dog under his coat, and a woman who repaired clocks. The captain looked at the sky, counted his
passengers, and shook his head. "Not today," he said. "If you want to sleep in your own beds,
walk back now, before it rains."

The teacher asked whether the mail boat would go. It would not. So the four of them, with the
dog, sat down in the kitchen behind the ticket office, where there was a stove, a kettle and a
bag of apples. To pass the time, the woman took the clock from the wall, opened it and explained
how it worked. The weight pulls the wheel, the wheel wants to turn, and the little anchor lets
it go one tooth at a time. "That is all," she said. "A clock is a thing that falls down very
slowly." The boy laughed and asked how long it would fall. She measured the chain with her
fingers: 120 centimetres, 5 centimetres an hour, so one day exactly. When the rain stopped, late
in the evening, the clock was right again, and nobody was in a hurry any more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Of a text behind its prompt: nats [n] of each token, and the first choices [n + N_SAID].

    Those beyond the text are for the tokens in ``said``.
    """

    nats: NDArray[np.float64]
    choices: NDArray[np.int64]
    said: tuple[int, ...]

    @property
    def perplexity(self) -> float:
        """Of the text."""
        return float(np.exp(self.nats.mean()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The tokens behind ``n`` prompts, each read in one call.

    Their perplexity, the checkpoint's (``reference``), and the share of its first choices.
    """

    n: int
    perplexity: float
    reference: float
    agreement: float

    def table(self) -> dict[str, Plain]:
        """For the manifest."""
        return {
            "prompts": self.n,
            "prompt_perplexity": float(f"{self.perplexity:.5g}"),
            "prompt_perplexity_fp32": float(f"{self.reference:.5g}"),
            "prompt_argmax_agreement": float(f"{self.agreement:.4g}"),
        }

    def sentence(self) -> str:
        """For a terminal."""
        return (
            f"; behind {self.n} prompts read in one call, perplexity {self.perplexity:.4g} (the "
            f"checkpoint's {self.reference:.4g}), {100 * self.agreement:.1f} % of its first choices"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """``agreement``: share of first choices that are the checkpoint's, of ``n_tokens``.

    ``parted``: greedy tokens before the first that is not the checkpoint's, N_SAID when none is.
    ``prompts``: None where a prompt in one call is as good as one token by token.
    """

    n_tokens: int
    perplexity: float
    reference: float
    agreement: float
    parted: int
    prompts: Prompts | None = None

    def table(self) -> dict[str, Plain]:
        """For the manifest."""
        return {
            "text_tokens": self.n_tokens,
            "perplexity": float(f"{self.perplexity:.5g}"),
            "perplexity_fp32": float(f"{self.reference:.5g}"),
            "argmax_agreement": float(f"{self.agreement:.4g}"),
            "greedy_parts_after": self.parted,
            **(self.prompts.table() if self.prompts else {}),
        }

    def sentence(self) -> str:
        """For a terminal."""
        return (
            f"perplexity {self.perplexity:.4g} (the checkpoint's {self.reference:.4g}), "
            f"{100 * self.agreement:.1f} % of its first choices, greedy text the same for "
            f"{self.parted} of {N_SAID} tokens" + (self.prompts.sentence() if self.prompts else "")
        )


def text_ids(tokenizer: Tokenizer, n_known: int) -> tuple[int, ...]:
    """The first tokens of the text. ManifestError where the model does not know one of them."""
    ids = tokenizer.encode(TEXT)[:N_READ]
    if max(ids) >= n_known:
        raise ManifestError(
            f"tokenizer.json: gives token {max(ids)} to a model of {n_known}; the tokenizer is of "
            "another model"
        )
    return ids


def n_prompt(ids: Sequence[int]) -> int:
    """How many tokens are read in one call."""
    return len(ids) // 3


def read_reference(model: Any, ids: Sequence[int]) -> Reading:
    """The checkpoint reads the text in torch and goes on by its own first choices."""
    with torch.no_grad():
        out = model(input_ids=torch.tensor([list(ids)]), use_cache=True)
        rest = ids[n_prompt(ids) :]
        logits = out.logits[0, n_prompt(ids) - 1 :].numpy()
        nats = [_nats(row, after) for row, after in zip(logits, rest, strict=False)]
        choices = [int(row.argmax()) for row in logits]
        while len(choices) < len(rest) + N_SAID:
            past = out.past_key_values
            token = torch.tensor([choices[-1:]])
            out = model(input_ids=token, past_key_values=past, use_cache=True)
            choices.append(int(out.logits[0, -1].argmax()))
    said = tuple(choices[len(rest) :])
    return Reading(nats=np.array(nats), choices=np.array(choices), said=said)


def read(graphs: Graphs, ids: Sequence[int], said: Sequence[int]) -> Reading:
    """Graphs read the text and, token by token, what the checkpoint said after it."""
    context = graphs.start(len(ids) + len(said))
    nats: list[float] = []
    choices: list[int] = []
    prompt, rest = ids[: n_prompt(ids)], ids[n_prompt(ids) :]
    logits = context.extend(graphs.embed(prompt))
    for place, token in enumerate([*rest, *said]):
        choices.append(int(logits.argmax()))
        if place < len(rest):
            nats.append(_nats(logits, token))
        logits = context.step(token)
    return Reading(nats=np.array(nats), choices=np.array(choices), said=tuple(said))


def read_prompts(graphs: Graphs, ids: Sequence[int], wanted: Reading) -> Prompts:
    """The beginnings of the text, of more than a third of it, each in one call and anew."""
    places = range(0, len(ids) - n_prompt(ids), APART)
    nats: list[float] = []
    same = 0
    for place in places:
        end = n_prompt(ids) + place
        logits = graphs.start(end).extend(graphs.embed(ids[:end]))
        nats.append(_nats(logits, ids[end]))
        same += int(logits.argmax()) == wanted.choices[place]
    return Prompts(
        n=len(places),
        perplexity=float(np.exp(np.mean(nats))),
        reference=float(np.exp(wanted.nats[list(places)].mean())),
        agreement=same / len(places),
    )


def compare(got: Reading, wanted: Reading) -> Damage:
    """Two readings of the same text."""
    n = len(wanted.nats)
    same = got.choices == wanted.choices
    apart = np.flatnonzero(~same[n:])
    return Damage(
        n_tokens=n,
        perplexity=got.perplexity,
        reference=wanted.perplexity,
        agreement=float(same[:n].mean()),
        parted=int(apart[0]) if len(apart) else len(wanted.said),
    )


def _nats(logits: NDArray[np.float32], token: int) -> float:
    """Minus the logarithm of a token's probability."""
    row = logits.astype(np.float64)
    top = row.max()
    return float(top + np.log(np.exp(row - top).sum()) - row[token])
