"""The memory that a model, a clip and its questions take, by stage: arithmetic, nothing measured.

For engines of one process that keep numbers of the decoder in float32. What a stage needs besides
its inputs and outputs is told from onnxruntime 1.31 on the CPU (docs/BENCHMARKS.md has the check).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest, Variant, numbers, onnxfile

FLOAT = 4
# Pictures a decoder holds at a time: those it may refer to, and its output's.
HELD = 18
# Arrays of attention scores that live at once where softmax is an operator of its own: with a mask
# in the decoder, without in the vision graph.
SCORES, SEEN_SCORES = 3, 2
# Past and present as they grow by a token a call: of what onnxruntime frees, little fits again.
GROWN = 4
# Of a layer's own arrays: as many of the hidden width, and of the inner one.
WIDE, INNER = 6, 3
MOST = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """A transformer's sizes: ``inner`` is the width between the two products of a layer."""

    heads: int
    hidden: int
    inner: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a model's memory depends on.

    ``weights``: bytes of the graphs; ``layers``, ``kv_heads``, ``width`` of a head, ``number``
    bytes: of the cache; ``shared``: past and present are one buffer, and attention needs no array
    of its scores.
    """

    weights: int
    decoder: Tower
    vision: Tower
    patch: int
    layers: int
    kv_heads: int
    width: int
    number: int
    shared: bool

    @property
    def token(self) -> int:
        """Bytes of cache a token."""
        return 2 * self.layers * self.kv_heads * self.width * self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Bite:
    """What the vision graph gets at a time.

    ``nbytes`` of pixels, ``images`` that attend within themselves, each ``height`` x ``width`` in
    patches where ``patched``, in pixels else.
    """

    nbytes: int
    images: int
    height: int
    width: int
    patched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one clip, its longest question and its longest answer bring.

    ``picture``: bytes of a decoded picture, ``frame``: of one as shrunk; ``features``: image
    tokens; ``prefix``: tokens of all before the question; ``question``: of that; ``new``: of the
    answer; ``room``: for as many behind the prefix a cache is made at first; ``piece``: tokens at a
    time; ``workers``: decoders at a time; ``rows``: answers at a time.
    """

    frames: int
    picture: int
    frame: int
    bite: Bite
    features: int
    prefix: int
    question: int
    new: int
    room: int
    piece: int
    workers: int
    rows: int = 1

    @property
    def prompt(self) -> int:
        """Tokens that are read."""
        return self.prefix + self.question

    @property
    def whole(self) -> int:
        """Tokens that the cache has in the end."""
        return self.prompt + self.new


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes by stage. ``peak`` is what all of it takes at the worst moment, weights and all.

    ``cache`` and ``decoder``: keys and values, and what a call of the decoder takes besides them,
    as the last of the prompt is read or the last of the answer is said, whichever takes more.
    """

    weights: int
    decoding: int
    frames: int
    features: int
    vision: int
    cache: int
    decoder: int

    @property
    def clip(self) -> int:
        """The most that a clip takes besides the weights.

        The next clip is decoded while the model works on this one, and onnxruntime keeps for each
        graph what that once took.
        """
        frames = self.decoding + self.frames + self.features
        return frames + self.vision + self.cache + self.decoder

    @property
    def peak(self) -> int:
        """All of it."""
        return self.weights + self.clip


def footprint(shape: Shape, load: Load) -> Footprint:
    """What a clip takes of a model's memory."""
    hidden = shape.decoder.hidden * FLOAT
    cache, decoder = max(_reading(shape, load), _answering(shape, load), key=sum)
    return Footprint(
        weights=shape.weights,
        decoding=load.workers * HELD * load.picture,
        frames=2 * load.frames * load.frame,
        # Gathered from the bites' outputs, then put among the embeddings.
        features=2 * load.features * hidden,
        vision=_vision(shape, load.bite),
        cache=cache,
        decoder=decoder,
    )


def _vision(shape: Shape, bite: Bite) -> int:
    """Pixels as they are made and fed, attention within images, and a layer's own arrays."""
    side = 1 if bite.patched else shape.patch
    tower, n = shape.vision, (bite.height // side) * (bite.width // side)
    image = SEEN_SCORES * tower.heads * n * n + n * (WIDE * tower.hidden + INNER * tower.inner)
    return 2 * bite.nbytes + bite.images * image * FLOAT


def _reading(shape: Shape, load: Load) -> tuple[int, int]:
    """Cache and the rest as the question's last piece is read."""
    cache = _buffers(load, load.prompt) + _rows(load) if shape.shared else 2 * load.prompt
    embeds = 2 * load.prompt * shape.decoder.hidden * FLOAT
    return cache * shape.token, embeds + _call(shape, min(load.piece, load.prompt), load.prompt)


def _answering(shape: Shape, load: Load) -> tuple[int, int]:
    """Cache and the rest as the last token is appended: one row, over all that is there."""
    if load.rows > 1:
        cache = load.prefix + load.room + _rows(load)
    elif shape.shared:
        cache = _buffers(load, load.whole)
    else:
        # Each call makes a cache; the prefix stays for the next question.
        cache = load.prefix + min(GROWN, 1 + load.new) * load.whole + load.new
    return cache * shape.token, _call(shape, load.rows, load.whole)


def _buffers(load: Load, end: int) -> int:
    """Tokens of all buffers at the largest, as ``BufferContext`` makes them.

    The prefix's own stays for the next question. One that is full is copied into a larger.
    """
    own = load.prefix + load.room
    copied, capacity = _grown(_read(load), end)
    if capacity == own:
        return own
    return own + (copied if copied > own else 0) + capacity


def _rows(load: Load) -> int:
    """Tokens of the copies that answers under way together have, as ``BufferRows`` makes them."""
    if load.rows == 1:
        return 0
    return load.rows * sum(_grown((0, _read(load)[1]), load.whole))


def _read(load: Load) -> tuple[int, int]:
    """Tokens of the buffer before the one that a question was read in, and of that one."""
    pieces = range(load.prefix + load.piece, load.prompt - 1, load.piece)
    copied, capacity = 0, load.prefix + load.room
    for at in (*pieces, load.prompt):
        if at > capacity:
            copied, capacity = capacity, at + at // 4
    return copied, capacity


def _grown(buffers: tuple[int, int], end: int) -> tuple[int, int]:
    """The same two once ``end`` tokens were appended one by one."""
    copied, capacity = buffers
    while capacity < end:
        copied, capacity = capacity, capacity + 1 + (capacity + 1) // 4
    return copied, capacity


def _call(shape: Shape, rows: int, whole: int) -> int:
    """What a call of the decoder with so many tokens makes, ``whole`` of them in the cache then."""
    tower = shape.decoder
    own = FLOAT * rows * (WIDE * tower.hidden + INNER * tower.inner)
    if shape.shared:
        return own
    # Scores, a mask in numbers and in bits, and keys and values spread over the heads.
    spread = 4 * tower.heads * whole * shape.width * FLOAT
    return own + spread + rows * whole * (SCORES * tower.heads * FLOAT + FLOAT + 1)


def shape_of(manifest: Manifest, variant: Variant) -> Shape:
    """A model's sizes from its config and its graphs. ManifestError where the config lacks one."""
    config = manifest.read("config")
    text = _part(config, "text_config") or config
    vision = _part(config, "vision_config")
    where = str(manifest.files["config"].path)
    decoder = _tower(text, where)
    operators = {
        node.op for node in onnxfile.read(variant.graphs["decoder_model_merged"].path).nodes
    }
    kv_heads = numbers.whole(
        {"num_key_value_heads": decoder.heads, **_told(text)},
        "num_key_value_heads",
        where,
        most=MOST,
    )
    width = {"head_dim": decoder.hidden // decoder.heads, **_told(text)}
    patch = vision.get("patch_size", 14)
    return Shape(
        weights=sum(file.path.stat().st_size for file in variant.graphs.values()),
        decoder=decoder,
        vision=_tower(vision, where) if vision else decoder,
        patch=int(patch[0]) if isinstance(patch, list) else int(str(patch)),
        layers=numbers.whole(text, "num_hidden_layers", where, most=MOST),
        kv_heads=kv_heads,
        width=numbers.whole(width, "head_dim", where, most=MOST),
        number=2 if "16" in variant.precision else FLOAT,
        shared="GroupQueryAttention" in operators,
    )


def _part(config: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = config.get(name)
    return part if isinstance(part, dict) else {}


def _told(table: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in table.items() if value is not None}


def _tower(table: Mapping[str, object], where: str) -> Tower:
    """By any of the names that configs of the families have."""
    named = _told(table)

    def first(*keys: str) -> int:
        for key in keys:
            if key in named:
                return numbers.whole(named, key, where, most=MOST)
        raise ManifestError(f"{where}: got no {keys[0]}; wants the model's sizes")

    # Qwen2-VL's tower calls its own width embed_dim, and hidden_size what it gives.
    hidden = first("embed_dim", "hidden_size")
    ratio = named.get("mlp_ratio", 4)
    inner = int(hidden * ratio) if isinstance(ratio, int | float) else 4 * hidden
    if "intermediate_size" in named:
        inner = first("intermediate_size")
    return Tower(heads=first("num_attention_heads", "num_heads"), hidden=hidden, inner=inner)
