"""A model: folder, family and engine put together. Frames in, view; view and question in, answer.

The work that all questions about a clip share is done once in ``see``: pixels, vision graph, and
the prefill of [system + video]. Each question forks that prefix's key-value cache.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeval import families
from edgeval.chat.stops import Stops, read_stops, tokenizer_stops
from edgeval.chat.tokenizer import Tokenizer, picture_ids
from edgeval.engines import AUTO, Context, Floats, GraphFiles, Graphs, choose, open_graphs, rows_of
from edgeval.errors import ArgumentError
from edgeval.generate import Ending, Rows, Saying, alone, logits_of, saying
from edgeval.modelfolder import manifest
from edgeval.modelfolder.dynamic import dynamic_operators
from edgeval.processor import DEFAULT, Conduct, Processor, Setup, Shrink, Talk
from edgeval.types import (
    Ask,
    Caption,
    Decoding,
    FramePlan,
    FrameRule,
    Frames,
    Generation,
    Prompt,
    Timing,
)
from edgeval.view import Inputs, Reading, View, facts_of, pixels_of

# Room for a question and its answer behind the prefix; a longer one makes the cache grow.
ROOM_TOKENS = 512


class Model:
    """See ``open_model``. One question at a time; a shrinker may be called from any thread."""

    def __init__(
        self,
        *,
        processor: Processor,
        tokenizer: Tokenizer,
        graphs: Graphs,
        stops: Stops,
        reading: Reading,
        card: Mapping[str, object],
    ) -> None:
        self.processor = processor
        self.tokenizer = tokenizer
        self._graphs = graphs
        self._stops = stops
        self.reading = reading
        self._card = card
        self._image_ids = [tokenizer.known_id(token) for token in processor.image_tokens]
        self._visual_ids = {tokenizer.id(token) for token in processor.visual_tokens} - {None}

    def frame_rule(self) -> FrameRule:
        """The family's native rule with the checkpoint's numbers. Raises ManifestError without."""
        return self.processor.frame_rule()

    @property
    def conduct(self) -> Conduct:
        """What the protocol decides besides frames, pixels and words."""
        return self.processor.conduct

    def shrinker(self, plan: FramePlan, *, still: bool = False) -> Shrink:
        """Per-frame pixel work for decode workers: a plan's pictures in the size the model sees."""
        return self.processor.shrinker(plan, still=still)

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
            processor=self.processor,
            features=None,
            prefix_ids=(),
            prefix=None,
            timing=Timing(),
        )
        if frames is None:
            return view
        if not frames.pixels + frames.stills:
            raise ArgumentError("frames: got none; wants at least one, or None for a blind view")
        facts = facts_of(frames, captions)
        view = replace(
            view,
            images=frames.pixels + frames.stills,
            facts=facts,
            timing=Timing(decode_s=frames.decode_s),
        )
        if self.reading.prefix:
            return self._prefilled(view)
        return self._with_features(view) if self.reading.share else view

    def prompt(self, view: View, ask: Ask) -> Prompt:
        """The question as tokens. ``shared_prefix_len`` of them are already in the view's cache."""
        talk = Talk(system=view.system, history=ask.history, prefill=ask.prefill)
        text = self.processor.text(ask.text, view.facts, talk)
        ids = self.tokenizer.encode(text.full)
        shared = len(view.prefix_ids)
        # Text behind a special token cannot change the tokens before it, but a tokenizer is data.
        if shared >= len(ids) or ids[:shared] != view.prefix_ids:
            shared = 0
        return Prompt(text=text.short, token_ids=ids, shared_prefix_len=shared)

    def answer(
        self, view: View, prompt: Prompt, decoding: Decoding, max_new_tokens: int
    ) -> Generation:
        """Tokens until the end of the answer. Timing counts what this question really cost."""
        return alone(self.answering(view, prompt, decoding, max_new_tokens))

    def answering(
        self, view: View, prompt: Prompt, decoding: Decoding, max_new_tokens: int
    ) -> Saying[Context, Generation]:
        """The same for ``generate.together``, with the ``rows`` of this model."""
        if not self.reading.share or (prompt.shared_prefix_len == 0 and view.facts is not None):
            view = self._with_features(view) if view.features is None else view
        shared = prompt.shared_prefix_len if view.prefix is not None else 0
        start = time.perf_counter()
        if shared and view.prefix is not None:
            context = view.prefix.fork()
        else:
            context = self._graphs.start(len(prompt.token_ids) + max_new_tokens)
        inputs = self._inputs(prompt.token_ids, view)
        first = inputs.append_to(context, skip=shared, whole=bool(self.reading.dynamic))
        prefill_s = time.perf_counter() - start
        ending = Ending(
            eos_ids=self._stops.eos_ids,
            max_new_tokens=max_new_tokens,
            decode=self.tokenizer.decode,
            repetition_penalty=self._stops.repetition_penalty,
            prompt_ids=prompt.token_ids,
        )
        kept = logits_of(first)
        tokens = yield from saying(context, first, decoding, ending)
        return Generation(
            text=self.processor.conduct.kept(tokens.text),
            token_ids=tokens.ids,
            stop=tokens.stop,
            stop_id=tokens.stop_id,
            logits=kept,
            timing=replace(
                view.timing, prefill_s=prefill_s, step_s=tokens.step_s, together=tokens.together
            ),
        )

    def rows(self, n: int) -> Rows[Context]:
        """What up to ``n`` answers go on in together. EngineError where that would change them."""
        return rows_of(self._graphs, n)

    def card(self) -> Mapping[str, object]:
        """What this model is, for the run card: hashes, precision, engine, constants."""
        return self._card

    def through(self, wrap: Callable[[Graphs], Graphs]) -> None:
        """From now on, use the graphs as ``wrap`` hands them back (edgeval.engines.told)."""
        self._graphs = wrap(self._graphs)

    def close(self) -> None:
        """Free the graphs."""
        self._graphs.close()

    def _with_features(self, view: View) -> View:
        """The view with its image features."""
        outputs: list[Mapping[str, Floats]] = []
        preprocess_s = vision_s = 0.0
        clock = time.perf_counter
        n_stills = view.facts.n_stills if view.facts else 0
        feeds = self.processor.feeds(view.images, n_stills=n_stills)
        fed = hashlib.sha256()
        start = clock()
        for feed in feeds:
            made = clock()
            outputs.append(self._graphs.see(feed))
            preprocess_s += made - start
            vision_s += clock() - made
            fed.update(pixels_of(feed))
            start = clock()
        timing = replace(view.timing, preprocess_s=preprocess_s, vision_s=vision_s)
        features = self.processor.gather(outputs)
        return replace(view, features=features, timing=timing, fed_sha256=fed.hexdigest())

    def _prefilled(self, view: View) -> View:
        """The view with features and the context of everything before the question."""
        view = self._with_features(view)
        ids = self.tokenizer.encode(
            self.processor.text("", view.facts, Talk(system=view.system)).full
        )
        last = max((at for at, token in enumerate(ids) if token in self._visual_ids), default=-1)
        prefix_ids = ids[: last + 1]
        start = time.perf_counter()
        context = self._graphs.start(len(prefix_ids) + ROOM_TOKENS)
        self._inputs(prefix_ids, view).append_to(context)
        timing = replace(view.timing, prefix_s=time.perf_counter() - start)
        return replace(view, prefix_ids=prefix_ids, prefix=context, timing=timing)

    def _inputs(self, token_ids: tuple[int, ...], view: View) -> Inputs:
        """Embeddings with the image features in the rows of image tokens, and where they stand."""
        ids = np.asarray(token_ids, np.int64)
        kinds = np.full(len(ids), -1, np.int8)
        for kind, image_id in enumerate(self._image_ids):
            kinds[ids == image_id] = kind
        embeds = self._graphs.embed(token_ids)
        rows = np.flatnonzero(kinds >= 0)
        features = view.features
        n_features = 0 if features is None else len(features.rows)
        if len(rows) != n_features:
            raise ArgumentError(
                f"prompt: got {len(rows)} image tokens for {n_features} image features; wants as "
                "many (does the question's text hold an image token?)"
            )
        places = self.processor.places(kinds, view.facts)
        if features is None:
            return Inputs(embeds=embeds, places=places)
        embeds = np.array(embeds, np.float32)
        embeds[rows] = features.rows
        deep = None
        if features.deep is not None:
            deep = np.zeros((len(features.deep), *embeds.shape), np.float32)
            deep[:, rows] = features.deep
        return Inputs(embeds=embeds, places=places, deep=deep)


def open_model(
    folder: Path,
    *,
    engine: str,
    precision: str | None,
    threads: int | None,
    share: bool = True,
    setup: Setup = DEFAULT,
) -> Model:
    """Open a model folder on an engine; ``engine`` AUTO is the first that can run it here.

    ``precision`` None is the folder's default; ``share`` False prefills and encodes everything anew
    for every question (the control for sharing); ``setup``: the protocol and its overrides. Raises
    ManifestError, EngineError, UnknownName.
    """
    found = manifest.load(folder)
    variant = found.variant(precision)
    family = families.load(found.family)
    digests = manifest.verify(found, variant)
    processor = family.opened(found, setup)
    bos = found.read("tokenizer_config").get("bos_token")
    tokenizer = Tokenizer(
        found.files["tokenizer"].path, bos_token=bos if isinstance(bos, str) else ""
    )
    for token in processor.image_tokens:
        tokenizer.check_special(token, picture_ids(found.read("config")))
    files = GraphFiles(
        vision=variant.graphs["vision_encoder"].path,
        embed=variant.graphs["embed_tokens"].path,
        decoder=variant.graphs["decoder_model_merged"].path,
        threads=threads,
    )
    dynamic = dynamic_operators(files.decoder)
    own = processor.conduct.tokenizer_stops
    stops = tokenizer_stops(found, tokenizer) if own else read_stops(found)
    choice = choose(engine, files)
    graphs = open_graphs(choice.name, files)
    return Model(
        processor=processor,
        tokenizer=tokenizer,
        graphs=graphs,
        stops=stops,
        reading=Reading(share=share, dynamic=dynamic),
        card={
            "name": found.name,
            "family": found.family,
            "precision": variant.precision,
            "flavour": variant.flavour,
            "source": found.source,
            "licence": found.licence,
            "protocol": processor.conduct.protocol,
            "engine": choice.name,
            "engine_version": graphs.version,
            "engine_why": list(choice.why) if engine == AUTO else [],
            "placement": dict(graphs.placement),
            "constants": dict(processor.card()),
            **({"dynamic_activations": list(dynamic)} if dynamic else {}),
            "sha256": digests,
        },
    )
