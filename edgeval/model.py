"""A model: folder, family and engine put together. Frames in, view; view and question in, answer.

The work that all questions about a clip share is done once in ``see``: pixels, vision graph, and
the prefill of [system + video]. Each question forks that prefix's key-value cache.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval import families, manifest
from edgeval.engines import Context, Floats, GraphFiles, Graphs, open_graphs
from edgeval.errors import ArgumentError, ManifestError
from edgeval.families import ClipFacts, Processor, Talk
from edgeval.generate import Ending, generate
from edgeval.stops import Stops, read_stops
from edgeval.tokenizer import Tokenizer
from edgeval.types import (
    Ask,
    Caption,
    Decoding,
    FrameRule,
    Frames,
    Generation,
    Picture,
    Prompt,
    Timing,
)

# Room for a question and its answer behind the prefix; a longer one makes the cache grow.
ROOM_TOKENS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One clip as the model sees it, or nothing (blind). Belongs to the Model that made it.

    ``features``: float32 [image tokens, hidden], None when nothing is shared. ``prefix_ids``: the
    tokens before the question; ``prefix``: their context, None when nothing is shared.
    """

    images: tuple[NDArray[np.generic], ...]
    facts: ClipFacts | None
    system: str
    processor: Processor = field(repr=False)
    features: Floats | None = field(repr=False)
    prefix_ids: tuple[int, ...] = field(repr=False)
    prefix: Context | None = field(repr=False)
    timing: Timing

    @property
    def n_frames(self) -> int:
        """Frames the model is shown."""
        return len(self.images)

    def pixel_sha256(self) -> str:
        """Hex sha256 of the float32 pixel tensor as fed, "" when blind."""
        if not self.images:
            return ""
        digest = hashlib.sha256()
        for feeds in self.processor.feeds(self.images):
            digest.update(np.ascontiguousarray(feeds["pixel_values"], "<f4").data)
        return digest.hexdigest()


class Model:
    """See ``open_model``. One question at a time; ``shrink`` may be called from any thread."""

    def __init__(
        self,
        *,
        processor: Processor,
        tokenizer: Tokenizer,
        graphs: Graphs,
        stops: Stops,
        share: bool,
        card: Mapping[str, object],
    ) -> None:
        self._processor = processor
        self._tokenizer = tokenizer
        self._graphs = graphs
        self._stops = stops
        self._share = share
        self._card = card
        image_id = tokenizer.id(processor.image_token)
        if image_id is None:
            raise ManifestError(f"tokenizer.json: has no token {processor.image_token!r}")
        self._image_id = image_id
        self._visual_ids = {tokenizer.id(token) for token in processor.visual_tokens} - {None}

    def frame_rule(self) -> FrameRule:
        """The family's native rule with the checkpoint's numbers. Raises ManifestError without."""
        return self._processor.frame_rule()

    def shrink(self, picture: Picture) -> NDArray[np.generic]:
        """Per-frame pixel work, for decode workers."""
        return self._processor.shrink(picture)

    def see(
        self, frames: Frames | None, *, system: str = "", captions: Sequence[Caption] = ()
    ) -> View:
        """Look at a clip once for all its questions; None for a blind view.

        ``system``: what the system turn says; ``captions``: (seconds, text) to stand before the
        first frame that is later.
        """
        view = View(
            images=(),
            facts=None,
            system=system,
            processor=self._processor,
            features=None,
            prefix_ids=(),
            prefix=None,
            timing=Timing(),
        )
        if frames is None:
            return view
        if not frames.pixels:
            raise ArgumentError("frames: got none; wants at least one, or None for a blind view")
        info = frames.plan.info
        times_s = tuple(index / info.fps for index in frames.plan.indices)
        facts = ClipFacts(
            times_s=times_s + (info.duration_s,) * len(frames.stills),
            duration_s=info.duration_s,
            captions=tuple(
                (sum(frame_s <= time_s for frame_s in times_s), text)
                for time_s, text in sorted(captions, key=lambda caption: caption[0])
            ),
        )
        view = replace(
            view,
            images=frames.pixels + frames.stills,
            facts=facts,
            timing=Timing(decode_s=frames.decode_s),
        )
        return self._prefilled(view) if self._share else view

    def prompt(self, view: View, ask: Ask) -> Prompt:
        """The question as tokens. ``shared_prefix_len`` of them are already in the view's cache."""
        talk = Talk(system=view.system, history=ask.history, prefill=ask.prefill)
        text = self._processor.text(ask.text, view.facts, talk)
        ids = self._tokenizer.encode(text.full)
        shared = len(view.prefix_ids)
        # Text behind a special token cannot change the tokens before it, but a tokenizer is data.
        if shared >= len(ids) or ids[:shared] != view.prefix_ids:
            shared = 0
        return Prompt(text=text.short, token_ids=ids, shared_prefix_len=shared)

    def answer(
        self, view: View, prompt: Prompt, decoding: Decoding, max_new_tokens: int
    ) -> Generation:
        """Tokens until the end of the answer. Timing counts what this question really cost."""
        if not self._share or (prompt.shared_prefix_len == 0 and view.facts is not None):
            view = self._with_features(view) if view.features is None else view
        shared = prompt.shared_prefix_len if view.prefix is not None else 0
        start = time.perf_counter()
        if shared and view.prefix is not None:
            context = view.prefix.fork()
        else:
            context = self._graphs.start(len(prompt.token_ids) + max_new_tokens)
        first = context.extend(self._embeds(prompt.token_ids, view.features)[shared:])
        prefill_s = time.perf_counter() - start
        ending = Ending(
            eos_ids=self._stops.eos_ids,
            max_new_tokens=max_new_tokens,
            decode=self._tokenizer.decode,
            repetition_penalty=self._stops.repetition_penalty,
            prompt_ids=prompt.token_ids,
        )
        tokens = generate(context, first, decoding, ending)
        return Generation(
            text=tokens.text,
            token_ids=tokens.ids,
            stop=tokens.stop,
            timing=replace(view.timing, prefill_s=prefill_s, step_s=tokens.step_s),
        )

    def card(self) -> Mapping[str, object]:
        """What this model is, for the run card: hashes, precision, engine, constants."""
        return self._card

    def close(self) -> None:
        """Free the graphs."""
        self._graphs.close()

    def _with_features(self, view: View) -> View:
        """The view with its image features."""
        features: list[Floats] = []
        preprocess_s = vision_s = 0.0
        clock = time.perf_counter
        feeds = self._processor.feeds(view.images)
        start = clock()
        for feed in feeds:
            made = clock()
            features.append(self._graphs.see(feed))
            preprocess_s += made - start
            start = clock()
            vision_s += start - made
        timing = replace(view.timing, preprocess_s=preprocess_s, vision_s=vision_s)
        return replace(view, features=np.concatenate(features), timing=timing)

    def _prefilled(self, view: View) -> View:
        """The view with features and the context of everything before the question."""
        view = self._with_features(view)
        ids = self._tokenizer.encode(
            self._processor.text("", view.facts, Talk(system=view.system)).full
        )
        last = max((at for at, token in enumerate(ids) if token in self._visual_ids), default=-1)
        prefix_ids = ids[: last + 1]
        start = time.perf_counter()
        context = self._graphs.start(len(prefix_ids) + ROOM_TOKENS)
        context.extend(self._embeds(prefix_ids, view.features))
        timing = replace(view.timing, prefix_s=time.perf_counter() - start)
        return replace(view, prefix_ids=prefix_ids, prefix=context, timing=timing)

    def _embeds(self, token_ids: tuple[int, ...], features: Floats | None) -> Floats:
        """Embeddings [S, hidden] with the image features in the places of image tokens."""
        ids = np.asarray(token_ids, np.int64)
        embeds = self._graphs.embed(token_ids)
        places = np.flatnonzero(ids == self._image_id)
        n_features = 0 if features is None else len(features)
        if len(places) != n_features:
            raise ArgumentError(
                f"prompt: got {len(places)} image tokens for {n_features} image features; wants as "
                "many (does the question's text hold an image token?)"
            )
        if features is not None:
            embeds = np.array(embeds, np.float32)
            embeds[places] = features
        return embeds


def open_model(
    folder: Path, *, engine: str, precision: str | None, threads: int | None, share: bool = True
) -> Model:
    """Open a model folder on an engine.

    ``precision`` None is the folder's default; ``share`` False prefills and encodes everything anew
    for every question (the control for sharing). Raises ManifestError, EngineError, UnknownName.
    """
    found = manifest.load(folder)
    variant = found.variant(precision)
    family = families.load(found.family)
    digests = manifest.verify(found, variant)
    processor = family.open(found)
    bos = found.read("tokenizer_config").get("bos_token")
    graphs = open_graphs(
        engine,
        GraphFiles(
            vision=variant.graphs["vision_encoder"].path,
            embed=variant.graphs["embed_tokens"].path,
            decoder=variant.graphs["decoder_model_merged"].path,
            threads=threads,
        ),
    )
    return Model(
        processor=processor,
        tokenizer=Tokenizer(
            found.files["tokenizer"].path, bos_token=bos if isinstance(bos, str) else ""
        ),
        graphs=graphs,
        stops=read_stops(found),
        share=share,
        card={
            "name": found.name,
            "family": found.family,
            "precision": variant.precision,
            "flavour": variant.flavour,
            "source": found.source,
            "licence": found.licence,
            "engine": engine,
            "engine_version": graphs.version,
            "constants": dict(processor.card()),
            "sha256": digests,
        },
    )
