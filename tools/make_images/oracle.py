"""Where each file's bytes lie while it lives, and whether they are still there afterwards.

The runs are The Sleuth Kit's; what they say is believed only where the image then gives the file's
own bytes. A file without runs is resident in its record, whose bytes are looked for in the image.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = "hakushi.images/1"


@dataclass(slots=True)
class Planted:
    """One file that was put on a volume, and what became of it."""

    path: str
    data: bytes
    kinds: Counter[str] = field(default_factory=Counter)
    volume: int = 1
    state: str = "live"
    runs: list[tuple[int, int]] = field(default_factory=list)
    """Offsets and lengths in the volume's image; empty where the record itself holds the bytes."""
    still: bool = False
    """All its bytes are still in the image."""
    unit: int = 0
    """Bytes of a cluster or block, where the runs are The Sleuth Kit's."""
    recorded: bool | None = None
    """Whether something still tells how its first two pieces follow; None: in one, or unknown."""

    @property
    def fragments(self) -> int:
        """Runs that do not touch; a resident file has one."""
        return max(1, len(self.runs))

    def row(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "volume": self.volume,
            "state": self.state,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "fragments": self.fragments,
            "resident": bool(self.data) and not self.runs,
            "still": self.still,
            "recorded": self.recorded,
            "planted": dict(sorted(self.kinds.items())),
        }


def _merged(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for at, length in runs:
        if out and out[-1][0] + out[-1][1] == at:
            out[-1] = (out[-1][0], out[-1][1] + length)
        else:
            out.append((at, length))
    return out


def _data_runs(entry: Any, block: int) -> list[tuple[int, int]]:
    """Runs of a file's unnamed data attribute, in bytes of the volume."""
    import pytsk3

    wanted = (pytsk3.TSK_FS_ATTR_TYPE_DEFAULT, pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
    for attribute in entry:
        if attribute.info.type in wanted and attribute.info.name in (None, b"", b"$Data"):
            runs = _merged(
                (run.addr * block, run.len * block) for run in attribute if not run.flags
            )
            return [run for run in runs if run[1]]
    return []


def locate(image: Path, files: Sequence[Planted]) -> None:
    """Fills the runs of every file; call while all of them live and the volume is closed."""
    import pytsk3

    system = pytsk3.FS_Info(pytsk3.Img_Info(str(image)))
    for one in files:
        entry = system.open("/" + one.path)
        one.unit = system.info.block_size
        one.runs = _data_runs(entry, one.unit)


BLOCK = 4096


def locate_by_content(image: Path, files: Sequence[Planted]) -> None:
    """The same where The Sleuth Kit knows no such file system: by the blocks of the content itself.

    Bytes that many files share may be found in the place of another; a file that is smaller than
    a block, or packed into a record, has no runs.
    """
    whole = image.read_bytes()
    places: dict[bytes, list[int]] = {}
    for at in range(0, len(whole), BLOCK):
        places.setdefault(hashlib.md5(whole[at : at + BLOCK]).digest(), []).append(at)  # noqa: S324
    for one in files:
        one.runs = _by_blocks(one.data, places)


def _by_blocks(data: bytes, places: dict[bytes, list[int]]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    following = -1
    for start in range(0, len(data), BLOCK):
        block = data[start : start + BLOCK].ljust(BLOCK, b"\0")
        found = places.get(hashlib.md5(block).digest())  # noqa: S324
        if not found:
            return []
        at = following if following in found else found[0]
        runs.append((at, BLOCK))
        following = at + BLOCK
    return _merged(runs)


def _records(whole: bytes) -> bytes:
    """Every NTFS file record of an image, one after the other, its update sequence undone."""
    out, at = bytearray(), whole.find(b"FILE")
    while at >= 0:
        if at % 1024 == 0:
            record = bytearray(whole[at : at + 1024])
            start, count = struct.unpack_from("<HH", record, 4)
            for n in range(1, count if start + 2 * count <= 1024 and count <= 3 else 0):
                record[512 * n - 2 : 512 * n] = record[start + 2 * n : start + 2 * n + 2]
            out += record
        at = whole.find(b"FILE", at + 4)
    return bytes(out)


def _ntfs_run(length: int, delta: int) -> bytes:
    """A mapping pair, as NTFS packs it."""
    sizes = [max(1, (length.bit_length() + 8) // 8), max(1, (abs(delta).bit_length() + 8) // 8)]
    packed = length.to_bytes(sizes[0], "little") + delta.to_bytes(sizes[1], "little", signed=True)
    return bytes([sizes[1] << 4 | sizes[0]]) + packed


def _link(one: Planted, kind: str) -> bytes | None:
    """The bytes by which a file system says that the second piece follows the first."""
    (first, length), (second, more) = ((at // one.unit, n // one.unit) for at, n in one.runs[:2])
    if kind.startswith("ntfs"):
        return _ntfs_run(length, first) + _ntfs_run(more, second - first)
    if kind.startswith("ext"):
        return struct.pack("<IHHI", length, more, second >> 32, second & 0xFFFFFFFF)
    return None


def check(
    image: Path, files: Sequence[Planted], *, everywhere: bool = False, kind: str = ""
) -> None:
    """Says of every file whether its bytes are still there, from the image alone, and of one in
    pieces whether its order is, too, on a volume of a ``kind`` that it knows.

    ``everywhere``: files without runs may lie anywhere, not in NTFS records alone.
    """
    whole = image.read_bytes()
    records = _records(whole)
    for one in files:
        if one.runs:
            found = b"".join(whole[at : at + length] for at, length in one.runs)
            one.still = found[: len(one.data)] == one.data
        else:
            one.still = one.data in (whole if everywhere else records)
        if len(one.runs) > 1 and one.unit:
            link = _link(one, kind)
            where = records if kind.startswith("ntfs") else whole
            one.recorded = None if link is None else link in where


def manifest(
    name: str, seed: int, volumes: Sequence[dict[str, Any]], files: Sequence[Planted], **more: Any
) -> str:
    """The manifest of an image, as JSON text."""
    kinds: Counter[str] = Counter()
    for one in files:
        kinds += one.kinds
    states = Counter(one.state for one in files)
    return (
        json.dumps(
            {
                "schema": SCHEMA,
                "name": name,
                "seed": seed,
                **more,
                "volumes": list(volumes),
                "totals": {
                    "files": dict(sorted(states.items())),
                    "planted": dict(sorted(kinds.items())),
                },
                "files": [one.row() for one in files],
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )
