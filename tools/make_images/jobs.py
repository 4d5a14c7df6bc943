"""One image under work: fill, tear, delete, format; and what is still there at the end."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random

from . import oracle, volumes
from .oracle import Planted


def _forget_hint(image: Path) -> None:
    """Makes FAT32's "next free cluster" unknown, as after a new mount: gaps are filled again."""
    with image.open("r+b") as out:
        out.seek(48)
        sector = int.from_bytes(out.read(2), "little")
        out.seek(sector * 512 + 492)
        out.write(struct.pack("<I", 0xFFFFFFFF))


_OTHERS = ("xfs", "btrfs")
"""Kinds that The Sleuth Kit does not read."""


class Job:
    """A volume's image, the files planted on it and the seed that draws them."""

    def __init__(self, image: Path, size: int, rng: Random) -> None:
        self.image = image
        self.rng = rng
        self.kind = self.first = ""
        self.planted: list[Planted] = []
        self.told: list[Planted] = []
        """Files of which the scenario itself knows whether they are still there."""
        volumes.blank(image, size)

    def make(self, kind: str, label: str = "", cluster: int = 0, start: int = 0) -> None:
        """A new file system over the image; what was live before is from now on `formatted`."""
        volumes.make(kind, self.image, label, start, cluster)
        self.kind = kind
        self.first = self.first or kind
        for one in self.planted:
            one.state = "formatted"

    def fill(self, files: Sequence[Planted]) -> None:
        """Writes files one after the other."""
        with volumes.session(self.kind, self.image) as one:
            volumes.put_all(one, [(file.path, file.data) for file in files])
        self._learn(files)

    def tear(self, files: Sequence[Planted], unit: int = 4096) -> None:
        """Writes files so that they come to lie in pieces, as far as the system lets it.

        NTFS and ext: in rounds, a piece of each file a round. FAT and exFAT: into the gaps that
        every other of a row of small files leaves when deleted (``unit``: bytes of a cluster).
        """
        if self.kind.startswith(("ntfs", "ext", *_OTHERS)):
            self._in_rounds(files)
        else:
            self._make_gaps(unit, sum(len(file.data) for file in files))
            with volumes.session(self.kind, self.image) as one:
                volumes.put_all(one, [(file.path, file.data) for file in files])
        self._learn(files)

    def _in_rounds(self, files: Sequence[Planted]) -> None:
        """Most files in two pieces, as on real disks; each round has a mount of its own, since a
        system keeps room behind a file that is being written.
        """
        pieces = {id(one): self.rng.choice((2, 2, 2, 3, 4)) for one in files}
        for turn in range(4):
            with volumes.session(self.kind, self.image) as one:
                for file in files:
                    width = -(-len(file.data) // pieces[id(file)])
                    part = file.data[turn * width : (turn + 1) * width]
                    if not turn:
                        one.put(file.path, part)
                    elif part:
                        one.extend(file.path, part)

    def _make_gaps(self, unit: int, wanted: int) -> None:
        width = max(4 * unit, -(-wanted // 40 // unit) * unit)
        row = []
        for n in range(60):
            size = width - self.rng.randrange(1, unit)
            lines = b"".join(b"%03d-%08d\r\n" % (n, at) for at in range(size // 14 + 1))
            row.append(Planted(f"仮/{n:03}.tmp", lines[:size]))
        self.fill(row)
        self.delete(row[::2])
        if self.kind == "fat32":
            _forget_hint(self.image)

    def _learn(self, files: Sequence[Planted]) -> None:
        if self.kind in _OTHERS:
            oracle.locate_by_content(self.image, files)
        else:
            oracle.locate(self.image, files)
        self.planted += files

    def delete(self, files: Sequence[Planted]) -> None:
        with volumes.session(self.kind, self.image) as one:
            for file in files:
                one.remove(file.path)
                file.state = "deleted"

    def live(self) -> list[Planted]:
        return [one for one in self.planted if one.state == "live"]

    def delete_half(self) -> None:
        """Deletes half of what lives, drawn at random."""
        live = self.live()
        self.delete(self.rng.sample(live, len(live) // 2))

    def finish(self) -> list[Planted]:
        """Everything planted, with whether its bytes are still there."""
        others = self.kind in _OTHERS
        oracle.check(self.image, self.planted, everywhere=others, kind=self.first)
        return self.planted + self.told
