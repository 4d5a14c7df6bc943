"""The data streams of old NTFS records: where they lie, and the bytes of those that are derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from hakushi.media import Memory, Runs
from hakushi.model import Extent, Malformed, Run, Source, Unreadable
from hakushi.recover.filesystem.ntfs_records import Attribute, record
from hakushi.recover.records import HELD
from hakushi.recover.records._lznt1 import Compressed
from hakushi.recover.records._ntfs_scan import COMPRESSED, DATA, ENCRYPTED, Head, head

_MOST_PLACES = 4096
_LARGEST = 4 << 30
"""Bytes that a stream may claim to hold, or four times its volume if that is more."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A data stream, put together from one record or several.

    ``places``: the offsets of the records that hold its attributes, in their order.
    """

    name: str
    places: tuple[int, ...]
    attributes: tuple[Attribute, ...]

    @property
    def first(self) -> Attribute:
        return self.attributes[0]

    @property
    def compressed(self) -> bool:
        return bool(self.first.flags & COMPRESSED and self.first.unit)

    @property
    def encrypted(self) -> bool:
        return bool(self.first.flags & ENCRYPTED)

    @property
    def derived(self) -> bool:
        """Whether its bytes are no runs of the volume."""
        return self.first.content is not None or self.compressed


def streams(parts: Iterable[tuple[int, Attribute]]) -> list[Stream]:
    """The streams that attributes (with the offsets of their records) make up.

    Of several attributes that map the same clusters the first one counts; what does not go on
    where the one before it ends is left out, and the stream is then not whole.
    """
    named: dict[str, list[tuple[int, Attribute]]] = defaultdict(list)
    for at, attribute in parts:
        if attribute.type == DATA:
            named[attribute.name].append((at, attribute))
    return [_joined(name, some) for name, some in named.items()]


def _joined(name: str, parts: list[tuple[int, Attribute]]) -> Stream:
    parts.sort(key=lambda part: part[1].first)
    places, kept = [parts[0][0]], [parts[0][1]]
    following = kept[0].first + _clusters(kept[0])
    for at, attribute in parts[1:]:
        if attribute.content is None and attribute.first == following:
            places.append(at)
            kept.append(attribute)
            following += _clusters(attribute)
    return Stream(name, tuple(places), tuple(kept))


def _clusters(attribute: Attribute) -> int:
    return sum(count for _, count in attribute.runs)


@dataclass(frozen=True, slots=True)
class Laid:
    """A stream in bytes of its volume. ``size``: what has a place. ``whole``: nothing is missing.

    The last run goes on to the end of its cluster, past ``size``: what stands there can tell
    whether the cluster is still the file's.
    """

    runs: tuple[Run, ...]
    size: int
    whole: bool

    @property
    def covered(self) -> bool:
        """Whether any byte of it is on the medium."""
        return any(run.at is not None for run in self.runs)


def laid(stream: Stream, cluster: int, volume: int) -> Laid:
    """Where a stream lies in a volume of ``volume`` bytes; nowhere if clusters have no size."""
    first = stream.first
    if first.content is not None:
        return Laid((), len(first.content), whole=True)
    runs: list[Run] = []
    covered, inside = 0, cluster > 0 and first.first == 0
    most = min(first.size, max(_LARGEST, 4 * volume))
    valid = min(first.initialized, most)
    if stream.compressed:
        # The hole that says a unit is compressed may lie past the size.
        unit = max(1, cluster << min(first.unit, 16))
        valid = -(-most // unit) * unit
    for at, count in (run for a in stream.attributes for run in a.runs):
        if not inside or covered >= valid:
            break
        length = min(count * cluster, -(-(valid - covered) // cluster) * cluster)
        if at is not None and at * cluster + length > volume:
            length, inside = max(0, volume - at * cluster), False
        if length:
            runs.append(Run(None if at is None else at * cluster, length))
            covered += length
    if covered >= valid and valid < most and inside:
        if covered > valid:
            runs[-1] = Run(runs[-1].at, runs[-1].length - (covered - valid))
        runs.append(Run(None, most - valid))
        covered = most
    size = min(most, covered)
    return Laid(tuple(runs), size, inside and size == first.size)


# --- derived streams -----------------------------------------------------------------------


def step(stream: Stream, origin: int, used: bool) -> str:
    """The last name of the stream's locator: where its records stand in the volume, which
    attribute it is, and whether the record was in use.
    """
    places = stream.places if stream.compressed else stream.places[:1]
    where = "+".join(str(at - origin) for at in dict.fromkeys(places))
    return f"{where}-{stream.first.id}{HELD if used else '-freed'}"


def member(source: Source, value: str) -> Source:
    """The bytes of a resident or compressed stream by its step. ``source`` is its generation."""
    where, _, rest = value.partition("-")
    id = rest.partition("-")[0]
    places = where.split("+")
    if not all(_number(p) for p in (*places, id)) or len(places) > _MOST_PLACES:
        raise Malformed(f"no stream is called {value[:60]!r}")
    parts = [(int(at), a) for at in places for a in _attributes(source, int(at))]
    first = next((a for _, a in parts if a.type == DATA and a.id == int(id)), None)
    if first is None:
        raise Malformed(f"the record at {where[:60]} has no such stream")
    locator = source.locator.step(source.locator.last[0], value)
    if first.content is not None:
        return Memory(first.content, locator)
    (stream,) = streams(p for p in parts if p[1].name == first.name)
    cluster = _cluster(source)
    found = laid(stream, cluster, source.size)
    if not stream.compressed:
        return Runs(source, found.runs, found.size, locator)
    return Compressed(source, found.runs, cluster << min(first.unit, 16), found.size, locator)


def _attributes(source: Source, at: int) -> tuple[Attribute, ...]:
    try:
        data = source.read(Extent(at, 4096))
    except Unreadable:
        data = source.read(Extent(at, 1024))
    found: Head | None = head(at, data)
    if found is None:
        raise Malformed(f"no record is at {at}")
    return record(data[: found.size]).attributes


def _cluster(source: Source) -> int:
    """The generation's cluster, which its locator names."""
    words = source.locator.last[1].split("-")
    if len(words) != 3 or not _number(words[1]):
        raise Malformed("no generation of an NTFS volume")
    return int(words[1])


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
