"""The case file: one SQLite file with everything an assessment saw, resumable after any crash.

The whole Assessment as tables; `Case.join` is ``|`` as an upsert by key. Locators are stored
relative to the medium's, so that a row is small. The file is 0600; the counting key lies in a file
beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from typing import Any

from hakushi.assess import findings
from hakushi.assess.findings import Columns, Pack
from hakushi.detect.found import Place
from hakushi.model import (
    Artifact,
    Assessment,
    Cell,
    Damage,
    Extent,
    Extents,
    Finding,
    Locator,
    Malformed,
    Refused,
    Role,
    Run,
    State,
    message,
)

SCHEMA = 3

_OURS = int.from_bytes(b"HAKU", "big")
"""SQLite's application id of every case file, whatever its version."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE unit (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE cell (
    offset INTEGER PRIMARY KEY, length INTEGER NOT NULL, classes BLOB NOT NULL,
    candidates TEXT NOT NULL, histogram BLOB, records TEXT NOT NULL);
CREATE TABLE seen (offset INTEGER NOT NULL, length INTEGER NOT NULL,
    PRIMARY KEY (offset, length)) WITHOUT ROWID;
CREATE TABLE unreadable (offset INTEGER NOT NULL, length INTEGER NOT NULL,
    PRIMARY KEY (offset, length)) WITHOUT ROWID;
CREATE TABLE artifact (
    locator TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL,
    runs BLOB, path TEXT, role TEXT NOT NULL, complete INTEGER NOT NULL, sha256 BLOB,
    modified INTEGER, nested INTEGER NOT NULL, overlaid INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0, changed INTEGER) WITHOUT ROWID;
CREATE TABLE found (locator TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    id BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (locator, first, id));
CREATE TABLE placed (locator TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    place INTEGER NOT NULL, PRIMARY KEY (locator, offset, length)) WITHOUT ROWID;
CREATE TABLE damage (locator TEXT NOT NULL, what TEXT NOT NULL,
    PRIMARY KEY (locator, what)) WITHOUT ROWID;
CREATE TABLE restored (locator TEXT PRIMARY KEY, folder TEXT NOT NULL, path TEXT NOT NULL)
    WITHOUT ROWID;
"""


def _pack_pairs(pairs: Iterable[tuple[int, int]]) -> bytes:
    text = " ".join(f"{a},{b}" for a, b in pairs).encode()
    packed = zlib.compress(text, 6)
    return b"z" + packed if len(packed) + 1 < len(text) else b"t" + text


def _unpack_pairs(blob: bytes) -> list[tuple[int, int]]:
    text = zlib.decompress(blob[1:]) if blob[:1] == b"z" else blob[1:]
    out = []
    for pair in text.split():
        a, _, b = pair.partition(b",")
        out.append((int(a), int(b)))
    return out


def relative(locator: Locator, prefix: str) -> str:
    """The form in which tables hold a locator: "" for the medium itself, ``prefix`` its text."""
    text = str(locator)
    if text == prefix:
        return ""
    if text.startswith(prefix + "/"):
        return text[len(prefix) + 1 :]
    raise ValueError(f"{text} does not belong to {prefix}")


def _storable(text: str | None) -> str | None:
    """Names hold lone surrogates where bytes were not text: SQLite wants valid UTF-8."""
    return (
        None if text is None else text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    )


def is_case(path: Path) -> bool:
    """Whether a file is a case of any version: only such a one may be removed."""
    return _stamped(path)[0]


def _stamped(path: Path) -> tuple[bool, int]:
    """Whether SQLite's header says that the file is ours, and which version."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            (ours,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
        finally:
            db.close()
    except sqlite3.Error:
        return False, 0
    return ours == _OURS, version


class Case:
    """An open case file. One writer; every public method is one step of the work."""

    def __init__(self, path: Path, root: Locator, *, create: bool) -> None:
        self.path = path
        self.root = root
        self._prefix = str(root)
        self._last = (root, "")
        self.joined = 0
        """Artifacts that were joined since it was opened, known ones included."""
        if create:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if create:
            self._db.executescript(
                "BEGIN;" + _TABLES + f"PRAGMA user_version={SCHEMA};"
                f"PRAGMA application_id={_OURS}; COMMIT;"
            )

    # --- opening -------------------------------------------------------------------------

    @classmethod
    def open(cls, path: Path) -> Case:
        """An existing case. Refused where the file is none of ours."""
        ours, version = _stamped(path)
        if not ours:
            raise Refused(
                message("{path} is not a case file; name another with --case.", path=str(path))
            )
        if version != SCHEMA:
            raise Refused(
                message(
                    "{path} is the case file of another version;"
                    " assess its source again with --fresh.",
                    path=str(path),
                )
            )
        db = sqlite3.connect(path)
        row = db.execute("SELECT value FROM meta WHERE key='locator'").fetchone()
        db.close()
        if row is None:
            raise Refused(
                message(
                    "{path} was never begun; assess its source again with --fresh.", path=str(path)
                )
            )
        return cls(path, Locator.parse(json.loads(row[0])), create=False)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            if self._db.in_transaction:  # a full disk ends it by itself
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # --- small facts ---------------------------------------------------------------------

    def get(self, key: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, facts: Mapping[str, Any]) -> None:
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                [(k, json.dumps(v, ensure_ascii=False)) for k, v in facts.items()],
            )

    def done(self) -> set[str]:
        """Ids of the units that ended."""
        return {row[0] for row in self._db.execute("SELECT id FROM unit")}

    # --- joining -------------------------------------------------------------------------

    def relative(self, locator: Locator) -> str:
        """The form in which tables hold a locator: "" for the medium itself."""
        if locator != self._last[0]:
            # Findings come file by file: the locator before is mostly the same.
            self._last = (locator, relative(locator, self._prefix))
        return self._last[1]

    def _absolute(self, relative: str) -> Locator:
        return Locator.parse(f"{self._prefix}/{relative}") if relative else self.root

    def join(self, pieces: Iterable[Assessment | list[Pack]], finished: Iterable[str] = ()) -> None:
        """``|`` of the whole with each piece, and which units ended with them; one transaction."""
        with self._transaction() as db:
            for piece in pieces:
                if isinstance(piece, list):
                    self._found(db, piece)
                else:
                    self._join_one(db, piece)
            db.executemany("INSERT OR IGNORE INTO unit VALUES (?)", [(u,) for u in finished])

    def _join_one(self, db: sqlite3.Connection, piece: Assessment) -> None:
        for table, extents in (("seen", piece.seen), ("unreadable", piece.unreadable)):
            db.executemany(
                f"INSERT OR IGNORE INTO {table} VALUES (?, ?)",  # noqa: S608 - our two names
                [(e.offset, e.length) for e in extents],
            )
        for cell in piece.cells.values():
            known = self.cell(cell.offset)
            if known is None or known.rank() < cell.rank():
                db.execute("INSERT OR REPLACE INTO cell VALUES (?,?,?,?,?,?)", _cell_row(cell))
        self.joined += len(piece.artifacts)
        for artifact in piece.artifacts.values():
            self._upsert(db, artifact)
        places = findings.places_of(piece.findings)
        self._found(db, [findings.pack(self.relative(at), some) for at, some in places.items()])
        db.executemany(
            "INSERT OR IGNORE INTO damage VALUES (?, ?)",
            [(self.relative(d.locator), _storable(d.what)) for d in piece.damage],
        )

    @staticmethod
    def _found(db: sqlite3.Connection, packs: list[Pack]) -> None:
        rows = [(one.where, one.first, one.last, one.id, one.body) for one in packs]
        db.executemany("INSERT OR IGNORE INTO found VALUES (?,?,?,?,?)", rows)

    def _upsert(self, db: sqlite3.Connection, artifact: Artifact) -> None:
        row = (
            self.relative(artifact.locator),
            artifact.kind,
            artifact.state.value,
            artifact.size,
            None
            if artifact.runs is None
            else _pack_pairs((-1 if r.at is None else r.at, r.length) for r in artifact.runs),
            _storable(artifact.path),
            artifact.role.value,
            int(artifact.complete),
            None if artifact.sha256 is None else bytes.fromhex(artifact.sha256),
            artifact.modified,
            int(artifact.nested),
            artifact.changed,
        )
        columns = "locator,kind,state,size,runs,path,role,complete,sha256,modified,nested,changed"
        fresh = db.execute(
            f"INSERT OR IGNORE INTO artifact ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            row,
        )
        if fresh.rowcount:
            return
        known = self.artifact(artifact.locator)
        if known is not None and known.rank() < artifact.rank():
            names = columns.split(",")[1:]
            db.execute(
                f"UPDATE artifact SET {','.join(f'{n}=?' for n in names)} WHERE locator=?",  # noqa: S608
                (*row[1:], row[0]),
            )

    def settle(self, overlaid: Iterable[Locator], superseded: Iterable[Locator]) -> None:
        """Writes what resolve found over the whole: who lost bytes, and who is listed elsewhere."""
        with self._transaction() as db:
            db.execute("UPDATE artifact SET overlaid=0, superseded=0 WHERE overlaid OR superseded")
            for column, losers in (("overlaid", overlaid), ("superseded", superseded)):
                db.executemany(
                    f"UPDATE artifact SET {column}=1 WHERE locator=?",  # noqa: S608
                    [(self.relative(one),) for one in losers],
                )

    def damaged(self, damage: Iterable[Damage]) -> None:
        """Notes damage found after the joins."""
        self.join([Assessment(damage=frozenset(damage))])

    def put_places(self, places: Iterable[tuple[Locator, int, int, int]]) -> None:
        """Where on the medium findings lie, by locator, offset and length: the same bytes in two
        files are one place.
        """
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO placed VALUES (?,?,?,?)",
                [(self.relative(one), *rest) for one, *rest in places],
            )

    def places(self) -> dict[tuple[str, int, int], int]:
        """What `put_places` noted; locators as tables hold them."""
        rows = self._db.execute("SELECT locator, offset, length, place FROM placed")
        return {(where, offset, length): place for where, offset, length, place in rows}

    def drop_repeated(self, explained: Extents) -> None:
        """Forgets what was found in the bytes of ``explained`` and, equal, in a file as well."""
        raw = (one for columns in self.found(self.root) for one in columns.places())
        twice = {(one[2], one[5]) for one in raw if one[0] in explained}
        if not twice:
            return
        inside = twice - self._unseen(twice)

        def kept(one: Place) -> bool:
            return (one[2], one[5]) not in inside or one[0] not in explained

        some = (list(filter(kept, columns.places())) for columns in self.found(self.root))
        packs = [findings.pack("", places) for places in some if places]
        with self._transaction() as db:
            db.execute("DELETE FROM found WHERE locator=''")
            self._found(db, packs)

    def _unseen(self, values: set[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
        """Which of some values, by kind and key, are in no file."""
        import numpy as np

        left, asked = set(values), 2 * len(values) + 1
        for columns in self._packed("locator<>''"):
            if 2 * len(left) < asked:
                asked = len(left)
                first = np.array(sorted({_first(key) for _, key in left}), np.uint64)
            heads = columns.heads()[:, 0]
            near = first[np.minimum(np.searchsorted(first, heads), len(first) - 1)]
            left.difference_update(columns.values(np.flatnonzero(near == heads)))
            if not left:
                break
        return left

    # --- restored files ---------------------------------------------------------------------

    def restored(self, locator: Locator, folder: Path) -> Path | None:
        """Where under ``folder`` an artifact was written before."""
        row = self._db.execute(
            "SELECT path FROM restored WHERE locator=? AND folder=?",
            (self.relative(locator), str(folder)),
        ).fetchone()
        return None if row is None else Path(row[0])

    def restore_at(self, locator: Locator, folder: Path, path: Path) -> None:
        """Notes where an artifact is written, so that purging finds it."""
        self._db.execute(
            "INSERT OR REPLACE INTO restored VALUES (?, ?, ?)",
            (self.relative(locator), str(folder), str(path)),
        )

    def restored_files(self) -> Iterator[tuple[Path, Path]]:
        """(folder, path below it) of everything that was written out."""
        rows = self._db.execute("SELECT folder, path FROM restored")
        return ((Path(folder), Path(path)) for folder, path in rows)

    # --- reading -------------------------------------------------------------------------

    def cell(self, offset: int) -> Cell | None:
        row = self._db.execute("SELECT * FROM cell WHERE offset=?", (offset,)).fetchone()
        return None if row is None else _cell(row)

    def cells(self) -> Iterator[Cell]:
        return map(_cell, self._db.execute("SELECT * FROM cell ORDER BY offset"))

    def extents(self, table: str) -> Extents:
        """``seen`` or ``unreadable``; what was seen once is not unreadable."""
        if table not in ("seen", "unreadable"):
            raise ValueError(table)
        rows = self._db.execute(f"SELECT offset, length FROM {table}")  # noqa: S608 - checked
        return Extents(Extent(o, n) for o, n in rows)

    def artifact(self, locator: Locator) -> Artifact | None:
        row = self._db.execute(
            "SELECT * FROM artifact WHERE locator=?", (self.relative(locator),)
        ).fetchone()
        return None if row is None else self._artifact(row)

    def artifacts(self, where: str = "1", args: Sequence[Any] = ()) -> Iterator[Artifact]:
        """Artifacts in the order of their locators; ``complete`` as resolve settled it."""
        query = f"SELECT * FROM artifact WHERE {where} ORDER BY locator"  # noqa: S608 - ours
        for row in self._db.execute(query, args):
            artifact = self._artifact(row)
            yield replace(artifact, complete=artifact.complete and not row[11])

    def _artifact(self, row: Sequence[Any]) -> Artifact:
        runs = None
        if row[4] is not None:
            runs = tuple(Run(None if a < 0 else a, n) for a, n in _unpack_pairs(row[4]))
        return Artifact(
            locator=self._absolute(row[0]),
            kind=row[1],
            state=State(row[2]),
            size=row[3],
            runs=runs,
            path=row[5],
            role=Role(row[6]),
            complete=bool(row[7]),
            sha256=None if row[8] is None else row[8].hex(),
            modified=row[9],
            nested=bool(row[10]),
            changed=row[13],
        )

    def found(self, locator: Locator | None = None) -> Iterator[Columns]:
        """Findings as columns, of one place or of all: in order of locator and offset, each once.

        Refused where the file is damaged.
        """
        if locator is None:
            return self._columns("1")
        return self._columns("locator=?", (self.relative(locator),))

    def _columns(self, which: str, args: Sequence[Any] = ()) -> Iterator[Columns]:
        query = f"SELECT locator, first, last, body FROM found WHERE {which} ORDER BY 1, 2, id"  # noqa: S608 - ours
        yield from self._whole(findings.once(self._db.execute(query, args)))

    def _packed(self, which: str) -> Iterator[Columns]:
        """Findings as they were packed: in any order, and some more than once."""
        query = f"SELECT locator, body FROM found WHERE {which}"  # noqa: S608 - ours
        yield from self._whole(starmap(findings.unpack, self._db.execute(query)))

    def _whole(self, some: Iterator[Columns]) -> Iterator[Columns]:
        try:
            yield from some
        except Malformed:
            raise Refused(
                message(
                    "{path} is damaged; assess its source again with --fresh.", path=str(self.path)
                )
            ) from None

    def findings(self) -> Iterator[Finding]:
        """All findings as objects, in order of locator and offset."""
        for columns in self.found():
            yield from columns.findings(self._absolute(columns.where))

    def damage(self) -> list[Damage]:
        rows = self._db.execute("SELECT locator, what FROM damage ORDER BY locator, what")
        return [Damage(self._absolute(loc), what) for loc, what in rows]

    def rows(self, query: str, args: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """A read-only question in SQL, for counts."""
        return iter(self._db.execute(query, args))


def _first(key: bytes) -> int:
    """How a key begins, as `Columns.heads` has it."""
    return int.from_bytes(key[:8].ljust(8, b"\0"), sys.byteorder)


def _cell_row(cell: Cell) -> tuple[Any, ...]:
    return (
        cell.offset,
        cell.length,
        _pack_pairs(cell.classes),
        json.dumps(cell.candidates, separators=(",", ":")),
        zlib.compress(json.dumps(cell.histogram).encode()) if cell.histogram else None,
        json.dumps(cell.records, separators=(",", ":")),
    )


def _cell(row: Sequence[Any]) -> Cell:
    return Cell(
        offset=row[0],
        length=row[1],
        classes=tuple(_unpack_pairs(row[2])),
        candidates=tuple((o, f) for o, f in json.loads(row[3])),
        histogram=() if row[4] is None else tuple(json.loads(zlib.decompress(row[4]))),
        records=tuple((o, n, s) for o, n, s in json.loads(row[5])),
    )
