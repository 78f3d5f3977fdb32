"""One open container and one single-thread decoder: the packets in, the wanted pictures out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from edgeval.errors import VideoError
from edgeval.media.claims import Claims
from edgeval.media.container import packets, stream_at
from edgeval.media.gops import Work
from edgeval.media.nal import nonreference
from edgeval.types import PacketIndex

_SEEK_TRIES = 5


class OffIndexError(Exception):
    """The file does not follow its index here: decode from the start instead."""


class StoppedError(Exception):
    """Another worker failed; nobody wants the rest."""


class Reader:
    """Decodes pieces of work out of one container. Not for two threads at once.

    ``sent``: packets given to the decoder so far.
    """

    def __init__(
        self, path: Path, index: PacketIndex, *, container: InputContainer, stop: Event
    ) -> None:
        self._path = path
        self._index = index
        self._container = container
        self._stop = stop
        self._stream = stream_at(container, index.stream, path)
        self._context = self._stream.codec_context
        codec = self._context.codec.canonical_name
        self._unused = nonreference(codec, self._context.extradata)
        self._tick_s = float(index.time_base)
        self.sent = 0

    def run(self, work: Work, claims: Claims) -> None:
        """Decode one group of pictures, no packet more than its frames need.

        Raises OffIndexError when seeking fails, packets come otherwise than indexed or a picture
        is missing though nothing is damaged; VideoError for damage (unless salvaging).
        """
        expected = self._index.pts[work.key : work.last + 1].tolist()
        at = 0
        try:
            for packet in self._from_key(work.key):
                if packet.pts != expected[at]:
                    raise OffIndexError
                if work.key + at in work.wanted or not self._droppable(packet):
                    self._feed(packet, claims, from_ticks=expected[0])
                at += 1
                if at == len(expected) or not claims.owed:
                    break
            if claims.owed and (at == len(expected) or claims.salvage):
                self._feed(None, claims, from_ticks=expected[0])
            if claims.owed and not (claims.hurt and claims.settle()):
                raise OffIndexError
        finally:
            self._context.flush_buffers()

    def run_all(self, claims: Claims) -> None:
        """Decode from the first packet on until nothing is owed; the container is at its start.

        With a sequential index the keys of ``claims`` count pictures, else they are ticks. Raises
        VideoError when frames are missing at the end.
        """
        count = 0
        for packet in self._with_flush():
            for frame in self._decode(packet, claims):
                key = count if self._index.sequential else frame.pts
                count += 1
                if key is None:
                    continue
                if frame.is_corrupt:
                    claims.fault("a corrupt picture", self._seconds(frame.pts))
                claims.show(key, frame, self._seconds(frame.pts) or 0.0)
            if not claims.owed:
                return
        if not claims.settle():
            lost = sorted(claims.owed.values())
            raise VideoError(
                f"{self._path}: frame {lost[0]} cannot be decoded ({len(lost)} such); "
                "the video is damaged"
            )

    def _with_flush(self) -> Iterator[Packet[VideoStream] | None]:
        yield from packets(self._container, self._stream, self._path)
        yield None

    def _from_key(self, key: int) -> Iterator[Packet[VideoStream]]:
        """Packets from index ``key`` on. Raises OffIndexError where no seek leads there.

        mp4 seeks by decode time, Matroska by presentation time: the smaller suits both. Where the
        seek lands is not trusted: the keyframe is known by its time, and too late means try again
        from further back.
        """
        pts, dts = int(self._index.pts[key]), int(self._index.dts[key])
        target = pts if dts == PacketIndex.NO_TIMESTAMP else min(pts, dts)
        second = int(1 / self._index.time_base) or 1
        for attempt in range(_SEEK_TRIES):
            try:
                self._container.seek(target, stream=self._stream, backward=True, any_frame=False)
            except (av.FFmpegError, OverflowError) as error:
                raise OffIndexError from error
            run = packets(self._container, self._stream, self._path)
            for packet in run:
                if packet.is_keyframe and packet.pts == pts:
                    yield packet
                    yield from run
                    return
                if packet.dts is not None and packet.dts > dts != PacketIndex.NO_TIMESTAMP:
                    break
            target -= second * 4**attempt
        raise OffIndexError

    def _droppable(self, packet: Packet[VideoStream]) -> bool:
        return self._unused is not None and self._unused(bytes(packet))

    def _feed(self, packet: Packet[VideoStream] | None, claims: Claims, *, from_ticks: int) -> None:
        """Decode one packet (None: drain) and show what comes out.

        Pictures shown before the group's keyframe lean on the group before: they may be broken
        here, and nobody asks this group for them.
        """
        for frame in self._decode(packet, claims):
            if frame.pts is None or frame.pts < from_ticks:
                continue
            at_s = frame.pts * self._tick_s
            if frame.is_corrupt:
                claims.fault("a corrupt picture", at_s)
            claims.show(frame.pts, frame, at_s)

    def _decode(self, packet: Packet[VideoStream] | None, claims: Claims) -> list[av.VideoFrame]:
        if self._stop.is_set():
            raise StoppedError
        self.sent += packet is not None
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            at = None if packet is None else packet.pts
            claims.fault("a packet that cannot be decoded", self._seconds(at))
            return []

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else ticks * self._tick_s
