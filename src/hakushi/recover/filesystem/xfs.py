"""An XFS file system that stands: every file and folder that lives, and what is in use."""

from __future__ import annotations

from collections.abc import Iterator

from hakushi.model import Artifact, Damage, Extents, Locator, Malformed, Role, Source, State
from hakushi.model import Extent as Span
from hakushi.recover.cursor import Budget, Cursor, Spent
from hakushi.recover.filesystem import xfs_disk as disk
from hakushi.recover.filesystem import xfs_fresh
from hakushi.recover.filesystem.parts import structure

_DEEPEST = 128


class Volume:
    """A standing file system. Memory grows with its names."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.cursor = Cursor(source)
        self.sb = disk.superblock(self.cursor)
        self.budget = budget
        self.damage: list[str] = []
        self.names: dict[int, tuple[int, bytes]] = {}

    def numbers(self) -> Iterator[int]:
        """The inodes in use."""
        for group in self.sb.groups_within(self.cursor.size):
            try:
                yield from disk.allocated_inodes(self.cursor, 0, self.sb, group, self.budget)
            except Spent:
                raise
            except Malformed as error:
                self.damage.append(f"group {group}: {error}")

    def inode(self, number: int) -> disk.Inode | None:
        try:
            raw = self.cursor.take(self.sb.inode_at(number), self.sb.inode)
        except Malformed:
            return None
        return disk.inode(raw, self.sb, number)

    def learn(self, one: disk.Inode) -> None:
        """The names that a directory gives."""
        for entry in self.entries(one):
            if not entry.gone and entry.name not in {b".", b".."}:
                self.names.setdefault(entry.number, (one.number, entry.name))

    def entries(self, one: disk.Inode) -> Iterator[disk.Entry]:
        if one.form == disk.LOCAL:
            yield from disk.short_entries(one.fork[: one.size], self.sb)
            return
        for _, raw in disk.folder_blocks(self.cursor, 0, self.sb, one, self.budget):
            yield from disk.block_entries(raw, self.sb, self.budget)

    def path(self, number: int) -> str:
        names: list[str] = []
        while number != self.sb.root and len(names) < _DEEPEST:
            parent, name = self.names.get(number, (-1, b""))
            if parent < 0:
                return "/".join(["$Orphan", f"inode-{number}", *reversed(names)])
            names.append(name.decode("utf-8", "backslashreplace"))
            number = parent
        return "/".join(reversed(names))


def files(source: Source, budget: Budget) -> Iterator[Artifact | Damage]:
    """Every file and folder that lives."""
    volume = Volume(source, budget)
    sb = volume.sb
    place = source.locator.step("xfs", "*")
    if sb.label:
        label = source.locator.step("xfs", "label")
        yield Artifact(label, "label", State.LIVE, 0, (), sb.label, Role.LABEL)
    if sb.size > source.size:
        yield Damage(place, f"the file system ends {sb.size - source.size} bytes past the volume")
    for number in list(_living(volume)):
        one = volume.inode(number)
        # The root and its neighbours that belong to the file system itself have no names.
        if one is not None and (number in volume.names or one.links):
            budget.pay()
            yield from _told(volume, one, source.locator)
    for what in volume.damage[:1000]:
        yield Damage(place, what)
    if not volume.names and not volume.damage:
        yield from _new(volume, source.locator)


def _living(volume: Volume) -> Iterator[int]:
    """The inodes in use that can be read; what the folders among them name is learned."""
    for number in volume.numbers():
        one = volume.inode(number)
        if one is None or not one.mode:
            volume.damage.append(f"inode {number} cannot be read")
            continue
        yield number
        if one.kind == disk.DIRECTORY:
            try:
                volume.learn(one)
            except Spent:
                raise
            except Malformed as error:
                volume.damage.append(f"folder {number}: {error}")


def _new(volume: Volume, top: Locator) -> Iterator[Artifact]:
    """What mkfs laid, on a volume that has no file yet."""
    pieces = list(xfs_fresh.runs(volume.cursor, volume.sb, volume.budget))
    if pieces:
        yield structure(top.step("xfs", "new"), "xfs", pieces, "new")


def _told(volume: Volume, one: disk.Inode, top: Locator) -> Iterator[Artifact | Damage]:
    sb = volume.sb
    if one.number == sb.root or (one.number not in volume.names and _own(one, sb)):
        return
    path, place = volume.path(one.number), top.step("xfs", one.number)
    if one.kind == disk.DIRECTORY:
        yield Artifact(place, "directory", State.LIVE, 0, (), path, modified=one.modified)
        return
    if one.kind != disk.FILE:
        yield Artifact(place, "name", State.LIVE, 0, (), path, Role.NAME, modified=one.modified)
        return
    try:
        found = disk.extents(volume.cursor, 0, sb, one, volume.budget)
    except Spent:
        raise
    except Malformed as error:
        yield Damage(place, str(error))
        yield Artifact(place, "file", State.LIVE, 0, (), path, complete=False)
        return
    laid, _ = disk.runs(found, sb, one.size)
    yield Artifact(
        place, "file", State.LIVE, one.size, laid, path,
        modified=one.modified, changed=one.changed,
    )  # fmt: skip


def _own(one: disk.Inode, sb: disk.Super) -> bool:
    """Whether it is one of the nameless inodes that mkfs makes right behind the root."""
    return sb.root < one.number <= sb.root + 2 and one.kind == disk.FILE


def in_use(source: Source, budget: Budget) -> Extents:
    """What is not free. A group whose free space cannot be read counts as full."""
    cursor = Cursor(source)
    sb = disk.superblock(cursor)
    free: list[Span] = []
    for group in sb.groups_within(cursor.size):
        try:
            found = list(disk.free_blocks(cursor, 0, sb, group, budget))
        except Spent:
            raise
        except Malformed:
            continue
        free += [Span(at, length) for at, length in found]
    return Extents([Span(0, min(sb.size, cursor.size))]) - Extents(free)
