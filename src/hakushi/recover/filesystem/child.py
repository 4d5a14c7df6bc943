"""The program of the child process in which The Sleuth Kit reads a file system.

Requests: ``["walk", type]`` answers batches of entries (lists, see `_entry`) and of damage
(strings); ``["open", type, inum, attr, id]`` answers the stream's size, then
``["read", offset, length]`` its bytes. Nothing here is trusted by the parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytsk3

from hakushi.fleet.child import Reader, serve
from hakushi.model import Malformed

_BATCH = 200
_DEPTH = 200
_PATH = 4000
"""Characters of a path that are passed on; longer ones start anew."""

_RUNS = 100_000
"""A stream in more pieces than this is read through the child instead of by its runs."""

_TYPES = {
    "ntfs": pytsk3.TSK_FS_TYPE_NTFS,
    "fat": pytsk3.TSK_FS_TYPE_FAT_DETECT,
    "exfat": pytsk3.TSK_FS_TYPE_EXFAT,
    "ext": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "hfs": pytsk3.TSK_FS_TYPE_HFS_DETECT,
    "iso9660": pytsk3.TSK_FS_TYPE_ISO9660_DETECT,
}
_ALLOC = 1
_FILE_NAME, _DOS = 48, 2
_NAMES = 200_000
"""Records whose names are remembered."""

_DIRECTORY = 2
_VIRTUAL = (10, 11)
"""Files and the directory that the library makes up; it is entered by its number."""

_BROKEN = (OSError, RuntimeError, AttributeError, TypeError, ValueError, OverflowError)
"""What pytsk3 raises where a structure is broken."""


class _Image(pytsk3.Img_Info):  # type: ignore[misc]
    """The parent's Source as The Sleuth Kit wants it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def read(self, offset: int, size: int) -> bytes:
        return self._reader.read(offset, size)

    def get_size(self) -> int:
        return self._reader.size


class _Walk:
    """One pass over all names, then over what has none."""

    def __init__(self, fs: Any, kind: str) -> None:
        self.fs = fs
        self.kind = kind
        self.told: set[int] = set()
        """Inodes whose content has been told."""
        self.entered: set[int] = set()
        self.batch: list[Any] = []
        self.sent = 0

    def run(self) -> Iterator[Any]:
        for item in self._tree(int(self.fs.info.root_inum), ""):
            yield from self._add(item)
        for item in self._rest():
            yield from self._add(item)
        yield self.batch

    def _rest(self) -> Iterator[Any]:
        """What no directory led to."""
        if self.kind == "ntfs":  # its records name their own place
            return self._unnamed()
        if self.kind == "hfs":  # its last number is a file's, not the library's own folder
            return iter(())
        return self._tree(int(self.fs.info.last_inum), "$OrphanFiles")

    def _add(self, item: Any) -> Iterator[Any]:
        self.batch.append(item)
        self.sent += 1
        # The first ones go out one by one: what follows may hang the library, or end it.
        if len(self.batch) >= min(_BATCH, 1 + self.sent // 32):
            yield self.batch
            self.batch = []

    def _tree(self, root: int, path: str) -> Iterator[Any]:
        """Depth first, with its own stack; each directory once."""
        stack = [(root, path, 0)]
        self.entered.add(root)
        while stack:
            inum, path, depth = stack.pop()
            try:
                directory = self.fs.open_dir(inode=inum)
            except _BROKEN as error:
                yield f"directory {inum}: {_first_line(error)}"
                continue
            deeper: list[tuple[int, str, int]] = []
            yield from self._directory(directory, (inum, path, depth), deeper)
            stack.extend(reversed(deeper))

    def _directory(
        self, directory: Any, at: tuple[int, str, int], deeper: list[tuple[int, str, int]]
    ) -> Iterator[Any]:
        inum, path, depth = at
        index = -1
        entries = iter(directory)
        while True:
            index += 1
            try:
                file = next(entries)
            except StopIteration:
                return
            except _BROKEN as error:
                yield f"directory {inum}: {_first_line(error)}"
                return
            name = file.info.name
            if name is None or name.name in (b".", b"..", None):
                continue
            child = f"{path}/{_text(name.name)}" if path else _text(name.name)
            entry = self._entry(file, child, f"{inum}-{index}")
            addr = int(name.meta_addr)
            if entry is None:
                if addr in self.entered:
                    yield f"directory {addr} is listed twice or inside itself"
                continue
            yield entry
            if entry[6] != _DIRECTORY or entry[3] is None:
                continue
            if depth >= _DEPTH:
                yield f"directory {addr} is nested too deep"
            else:
                self.entered.add(addr)
                below = child if len(child) <= _PATH else f"$Deep/{addr}"
                deeper.append((addr, below, depth + 1))

    def _entry(self, file: Any, path: str, place: str) -> list[Any] | None:
        """inum, seq, name is live, its meta is live (None: not its own), path, place, type, …"""
        name = file.info.name
        inum = int(name.meta_addr)
        named = bool(int(name.flags) & _ALLOC)
        if file.info.meta is None and not named and self.kind == "ntfs":
            file = self._dead(inum) or file
        meta = file.info.meta
        head: list[Any] = [inum, int(name.meta_seq), named, None, path, place, int(name.type)]
        if meta is None or int(meta.addr) != inum:
            return [*head, 0, 0, []]
        live = bool(int(meta.flags) & _ALLOC)
        if int(meta.type) in _VIRTUAL:
            return None
        if (live and not named) or self._another(name, meta, live=live):
            return [*head, 0, 0, []]
        if inum in self.told:
            # One more name of a live file is no news; one of a deleted file is.
            return None if named and live else [*head, 0, 0, []]
        self.told.add(inum)
        head[3], head[6] = live, int(meta.type)
        return [*head, int(meta.size), int(meta.mtime), _streams(file, inum)]

    def _dead(self, inum: int) -> Any:
        """A record by its number: the library drops those whose use count has moved on."""
        try:
            return self.fs.open_meta(inode=inum)
        except _BROKEN:
            return None

    def _another(self, name: Any, meta: Any, *, live: bool) -> bool:
        """Whether the record now belongs to another file than this name did (NTFS counts)."""
        if self.kind != "ntfs" or not name.meta_seq:
            return False
        gap = (int(meta.seq) - int(name.meta_seq)) & 0xFFFF
        return gap != 0 if live else gap > 1  # Deleting may count once, or not.

    def _unnamed(self) -> Iterator[Any]:
        """Records that no directory led to, with the path that they give themselves."""
        names = _Names(self.fs)
        for inum in range(int(self.fs.info.first_inum), int(self.fs.info.last_inum)):
            if inum in self.told:
                continue
            try:
                file = self.fs.open_meta(inode=inum)
            except _BROKEN as error:
                yield f"record {inum}: {_first_line(error)}"
                continue
            meta = file.info.meta
            if meta is None:
                continue
            live = bool(int(meta.flags) & _ALLOC)
            head = [inum, int(meta.seq), live, live, names.path(inum), f"{inum}", int(meta.type)]
            yield [*head, int(meta.size), int(meta.mtime), _streams(file, inum)]


class _Names:
    """Paths by the $FILE_NAME of each record and its parents' (NTFS)."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs
        self._known: dict[int, tuple[int, int, int, str] | None] = {}

    def path(self, inum: int) -> str:
        """As far up as the records agree; below $OrphanFiles where they stop before the root."""
        parts: list[str] = []
        seen: set[int] = set()
        root = int(self._fs.info.root_inum)
        at, expected = inum, None
        while at != root and at not in seen and len(parts) < _DEPTH:
            seen.add(at)
            found = self._name(at)
            if found is None or not _same_use(found[0], expected):
                break
            parts.append(found[3])
            at, expected = found[1], found[2]
        whole = at == root and parts
        if not parts:
            parts.append(str(inum))
        path = "/".join(([] if whole else ["$OrphanFiles"]) + parts[::-1])
        return path if len(path) <= _PATH else f"$Deep/{inum}"

    def _name(self, inum: int) -> tuple[int, int, int, str] | None:
        """A record's use count, its parent, the count that the parent had, and its long name."""
        if inum not in self._known:
            if len(self._known) > _NAMES:
                self._known.clear()
            try:
                self._known[inum] = self._read(inum)
            except _BROKEN:
                self._known[inum] = None
        return self._known[inum]

    def _read(self, inum: int) -> tuple[int, int, int, str] | None:
        file = self._fs.open_meta(inode=inum)
        if file.info.meta is None:
            return None
        best = None
        for attribute in file:
            if int(attribute.info.type) != _FILE_NAME:
                continue
            raw = file.read_random(0, 66 + 510, _FILE_NAME, int(attribute.info.id))
            if len(raw) < 68:
                continue
            reference = int.from_bytes(raw[:8], "little")
            name = raw[66 : 66 + 2 * raw[64]].decode("utf-16-le", "replace").replace("/", "_")
            best = (int(file.info.meta.seq), reference & ((1 << 48) - 1), reference >> 48, name)
            if raw[65] != _DOS:
                break
        return best


def _same_use(seq: int, expected: int | None) -> bool:
    """Whether a record is still, or was last, the one that a reference meant."""
    return expected is None or (seq - expected) & 0xFFFF in (0, 1)


def _streams(file: Any, inum: int) -> list[Any]:
    """[type, id, name, size, flags, runs or None] of each attribute; a string is damage."""
    out: list[Any] = []
    try:
        for attribute in file:
            info = attribute.info
            runs = [(int(r.addr), int(r.len), int(r.flags)) for r in islice(attribute, _RUNS + 1)]
            name = _text(info.name) if info.name else ""
            kind = int(info.type)
            kept = runs if len(runs) <= _RUNS else None
            out.append([kind, int(info.id), name, int(info.size), int(info.flags), kept])
    except _BROKEN as error:
        out.append(f"streams of {inum}: {_first_line(error)}")
    return out


def _text(name: bytes) -> str:
    """A name as text: UTF-8, else what old Japanese systems wrote, else escaped bytes."""
    for encoding in ("utf-8", "euc_jp", "cp932"):
        try:
            text = name.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        text = name.decode("ascii", "backslashreplace")
    return text.replace("/", "_")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class _Answers:
    """Keeps the file system and the last stream open between requests."""

    def __init__(self, reader: Reader) -> None:
        self._image = _Image(reader)
        self._fs: dict[str, Any] = {}
        self._open: tuple[Any, int, int] | None = None

    def __call__(self, request: list[Any]) -> Iterator[Any]:
        if request[0] == "walk":
            return _Walk(self._mount(request[1]), request[1]).run()
        if request[0] == "open":
            return self._stream(*request[1:])
        return self._read(*request[1:])

    def _mount(self, kind: str) -> Any:
        if kind not in self._fs:
            try:
                self._fs[kind] = pytsk3.FS_Info(self._image, offset=0, type=_TYPES[kind])
            except _BROKEN as error:
                raise Malformed(_first_line(error)) from None
        return self._fs[kind]

    def _stream(self, kind: str, inum: int, attr: int, id: int) -> Iterator[Any]:
        try:
            file = self._mount(kind).open_meta(inode=inum)
            for attribute in file:
                if (int(attribute.info.type), int(attribute.info.id)) == (attr, id):
                    self._open = (file, attr, id)
                    yield int(attribute.info.size)
                    return
        except _BROKEN as error:
            raise Malformed(_first_line(error)) from None
        raise Malformed(f"{inum} has no stream {attr}-{id}")

    def _read(self, offset: int, length: int) -> Iterator[bytes]:
        if self._open is None:
            raise Malformed("nothing is open")
        file, attr, id = self._open
        try:
            yield file.read_random(offset, length, attr, id)
        except _BROKEN as error:
            raise Malformed(_first_line(error)) from None


def _start(reader: Reader) -> Callable[[Any], Iterator[Any]]:
    return _Answers(reader)


if __name__ == "__main__":
    serve(_start)
