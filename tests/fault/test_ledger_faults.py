"""Every write of a log × {failed, failed but done, killed}; then the whole log is read again.

No entry lost, none doubled, no fork: whatever was acknowledged is in once, and every checkpoint that
was ever a head begins the last one.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.postgres_server import database

from hakushi.ledger.audit import audit
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Signer
from hakushi.ledger.log import HEAD, PUBLISHED, STAGED, Log, Unsettled
from hakushi.ledger.merkle import leaf_hash
from hakushi.ledger.policy import Policy
from hakushi.ledger.postgres import Postgres
from hakushi.ledger.sqlite import Sqlite
from hakushi.ledger.store import Busy, Memory, Store
from hakushi.ledger.view import View
from hakushi.model import Refused

KEY = Signer("example.org/log", Signer.new("x").kind, bytes(range(32)))
POLICY = Policy.of_log(KEY.verifier)
BEFORE = [b"before %d" % i for i in range(250)]
BATCHES = [[b"first %d" % i for i in range(10)], [b"second %d" % i for i in range(300)], [b"third"]]


class Killed(BaseException):
    """The process is gone."""


class Faults:
    """Counts writes; the one numbered ``at`` goes wrong in the way of ``mode``."""

    MODES = (
        "failed",
        "failed but done",
        "killed before",
        "killed after",
        "out before",
        "out after",
    )

    def __init__(self, at: int, mode: str) -> None:
        self.at, self.mode, self.count, self.down = at, mode, 0, False

    def reading(self) -> None:
        if self.down:
            self._raise()

    def writing(self, do: Callable[[], object]) -> object:
        self.reading()
        self.count += 1
        if self.count != self.at:
            return do()
        if self.mode in ("failed but done", "killed after", "out after"):
            do()
        self.down = not self.mode.startswith("failed")
        self._raise()
        return None

    def _raise(self) -> None:
        if self.mode.startswith("killed"):
            raise Killed
        raise OSError(28, "No space left on device")


class Faulty:
    """A store whose writes go wrong; keeps every head that it ever had."""

    def __init__(self, inner: Store, faults: Faults) -> None:
        self._inner, self._faults = inner, faults
        self.heads: list[bytes] = []

    def read(self, name: str) -> bytes | None:
        self._faults.reading()
        return self._inner.read(name)

    def names(self, prefix: str) -> list[str]:
        self._faults.reading()
        return self._inner.names(prefix)

    def put(self, objects: Mapping[str, bytes]) -> None:
        # An object at a time, as a store may die between two.
        for name, data in objects.items():
            self._faults.writing(lambda name=name, data=data: self._inner.put({name: data}))

    def swap(self, name: str, old: bytes | None, new: bytes) -> None:
        try:
            self._faults.writing(lambda: self._inner.swap(name, old, new))
        finally:
            if (head := self._inner.read(HEAD)) is not None and head not in self.heads:
                self.heads.append(head)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._faults.writing(lambda name=name: self._inner.remove([name]))


def scenario(store: Store, faults: Faults) -> None:
    """Appends three batches like a careful caller, through whatever goes wrong."""
    log: Log | None = None
    for batch in BATCHES:
        left: Sequence[bytes] = batch
        while left:
            try:
                if log is None:
                    log = Log(store, [KEY], lambda: 0)
                    # After a crash: what is there already is not entered again.
                    left = missing(log.view(), left)
                if left:
                    log.extend(left)
                left = []
            except (OSError, Killed) as error:
                faults.down = False
                if isinstance(error, Killed):
                    log = None
    faults.down = False


def missing(view: View, entries: Sequence[bytes], since: int = len(BEFORE)) -> list[bytes]:
    first = view.find(leaf_hash(entries[0]), since)
    there = set(view.entries(since))
    assert (first is not None) == (entries[0] in there)
    return [e for e in entries if e not in there]


def prepared(store: Store) -> Store:
    Log.create(store, [KEY], lambda: 0).extend(BEFORE)
    return store


def verify(store: Store, heads: Iterable[bytes]) -> None:
    """The whole log, read again by a fresh start."""
    log = Log(store, [KEY], lambda: 0)
    note = store.read(PUBLISHED)
    assert note is not None
    assert note == store.read(HEAD)
    entries = list(View(store.read, note).entries())
    expected = [*BEFORE, *(e for batch in BATCHES for e in batch)]
    assert sorted(entries) == sorted(expected)
    assert entries[: len(BEFORE)] == BEFORE
    assert audit(store.read, note, POLICY).failures == ()
    for head in heads:
        point = Checkpoint.of(head)
        assert log.view().root(point.size) == point.root
    assert store.names(STAGED) == []
    # Partial tiles that a full one replaced are gone; the edge is there.
    size = len(entries)
    parts = [n for n in store.names("tile/") if ".p/" in n]
    assert all(store.read(n.partition(".p/")[0]) is None for n in parts)
    assert log.append(b"more").index == size


def writes() -> int:
    faults = Faults(0, "none")
    store = Faulty(prepared(Memory()), faults)
    scenario(store, faults)
    verify(store, store.heads)
    return faults.count


@pytest.mark.parametrize("mode", Faults.MODES)
def test_every_write_of_a_store_can_go_wrong(mode):
    for at in range(1, writes() + 1):
        faults = Faults(at, mode)
        store = Faulty(prepared(Memory()), faults)
        scenario(store, faults)
        faults.at = 0
        verify(store, store.heads)


@pytest.mark.parametrize("mode", Faults.MODES)
def test_every_commit_of_sqlite_can_go_wrong(tmp_path, mode):
    first = Sqlite.writing(tmp_path / "before")
    prepared(first)
    first.close()
    for at in range(1, writes() + 1, 3):
        shutil.copy(tmp_path / "before", tmp_path / str(at))
        inner = Sqlite.writing(tmp_path / str(at))
        # What a cut of power may take back is SQLite's own promise; it is not tested again here.
        inner._db.execute("PRAGMA synchronous = OFF")
        faults = Faults(at, mode)
        store = Faulty(inner, faults)
        scenario(store, faults)
        faults.at = 0
        verify(store, store.heads)
        inner.close()


@pytest.mark.parametrize("mode", Faults.MODES)
def test_every_commit_of_postgresql_can_go_wrong(postgres_server, mode):
    for at in range(1, writes() + 1, 9):
        inner = Postgres.writing(database(postgres_server))
        faults = Faults(at, mode)
        store = Faulty(prepared(inner), faults)
        scenario(store, faults)
        faults.at = 0
        verify(store, store.heads)
        inner.close()


def test_a_lost_session_loses_nothing(postgres_server):
    """The server ends the connection: told as an error, found again, and nothing is doubled."""
    url = database(postgres_server)
    log = Log.create(store := Postgres.writing(url), [KEY], lambda: 0)
    log.extend([b"one"])
    killer = Postgres(url)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    killer._do(lambda db: db.run(f"{ended} AND datname = current_database()"))
    with pytest.raises(OSError, match="postgresql"):
        log.extend([b"two"])
    assert log.extend([b"two"]) == [1]
    with pytest.raises(Busy):
        Postgres.writing(url)
    store.close()
    other = Postgres.writing(url)
    assert list(Log(other, [KEY], lambda: 0).view().entries()) == [b"one", b"two"]
    other.close()
    killer.close()


@pytest.mark.parametrize("mode", Faults.MODES)
def test_making_a_log_can_go_wrong(mode):
    for at in range(1, 4):
        faults, inner = Faults(at, mode), Memory()
        store = Faulty(inner, faults)
        try:
            Log.create(store, [KEY], lambda: 0)
        except (OSError, Killed):
            faults.down = False
        faults.at = 0
        try:
            log = Log.create(store, [KEY], lambda: 0)
        except Refused:
            log = Log(store, [KEY], lambda: 0)
        assert log.append(b"one").index == 0


def test_unsettled_is_told_and_settles():
    """The head was swapped, and then nothing could be read: the caller learns just that."""
    faults = Faults(0, "out after")
    store = Faulty(prepared(Memory()), faults)
    log = Log(store, [KEY], lambda: 0)
    faults.at = faults.count + 2  # after what is staged, the swap
    with pytest.raises(Unsettled):
        log.extend([b"a", b"b"])
    with pytest.raises(OSError, match="No space"):
        log.extend([b"a", b"b"])
    faults.down = False
    assert log.extend([b"b", b"c", b"a"]) == [251, 252, 250]


# --- files, call by call ----------------------------------------------------------------------


class Disk:
    """What a cut of power takes back: names until their folder was fsynced, as far as known."""

    def __init__(self) -> None:
        self._loose: dict[str, list[Callable[[], object]]] = {}
        self._whole: set[str] = set()

    def before(self, name: str, args: tuple[object, ...]) -> bytes | None:
        """What the name of a file stood for before a call."""
        path = Path(str(args[1] if name == "replace" else args[0]))
        return path.read_bytes() if name in ("replace", "unlink") and path.is_file() else None

    def after(self, name: str, place: str, kept: bytes | None, target: str = "") -> None:
        if name == "fsync":
            self._whole.add(place)
            self._loose.pop(place, None)
        elif name == "replace":
            assert place in self._whole, "a file gets its name before its bytes are on the disk"
            self._whole.discard(place)
            path = Path(target)
            undo = path.unlink if kept is None else lambda: path.write_bytes(kept)
            self._loose.setdefault(str(path.parent), []).append(undo)
        elif name == "mkdir":
            path = Path(place)
            undo = lambda: shutil.rmtree(path)  # noqa: E731
            self._loose.setdefault(str(path.parent), []).append(undo)

    def cut(self) -> None:
        """The power goes: what no folder holds durably is as it was."""
        for undos in self._loose.values():
            for undo in reversed(undos):
                with suppress(FileNotFoundError):
                    undo()
        self._loose.clear()


@contextmanager
def calls(folder: Path, faults: Faults, disk: Disk) -> Iterator[None]:
    """Every call of the system that changes a file below ``folder`` goes through ``faults``."""
    kept = {name: getattr(os, name) for name in ("write", "fsync", "replace", "mkdir", "unlink")}
    do = kept | {"fsync": lambda _fd: None}  # `Disk` stands for it, and takes no time

    def wrapped(name: str) -> Callable[..., object]:
        real = do[name]

        def call(*args, **options):
            if name in ("write", "fsync"):
                place = str(Path(f"/proc/self/fd/{args[0]}").readlink())
            else:
                place = os.fspath(args[0])
            if not place.startswith(str(folder)):
                return real(*args, **options)
            result: list[object] = []
            before = disk.before(name, args)
            faults.writing(lambda: result.append(real(*args, **options)))
            disk.after(name, place, before, os.fspath(args[-1]) if name == "replace" else "")
            return result[0]

        return call

    try:
        for name in kept:
            setattr(os, name, wrapped(name))
        yield
    finally:
        for name, real in kept.items():
            setattr(os, name, real)


def on_files(folder: Path, at: int, mode: str) -> int:
    faults, disk = Faults(at, mode), Disk()
    with calls(folder, faults, disk):
        log, done = None, False
        while not done:
            files = None
            try:
                files = Files.writing(folder)
                if log is None:
                    log = Log(files, [KEY], lambda: 0)
                log.extend(missing(log.view(), BATCHES[1], 5))
                done = True
            except (OSError, Killed):
                # As if started again: the system gives the lock back.
                faults.down, log = False, None
                if mode.endswith("power cut"):
                    disk.cut()
                    head, published = (Checkpoint.of((folder / n).read_bytes()) for n in CELLS)
                    assert published.size <= head.size
            finally:
                if files is not None:
                    files.close()
        # What was acknowledged outlives the power.
        disk.cut()
        counted, faults.at = faults.count, 0
        files = Files.writing(folder)
        log = Log(files, [KEY], lambda: 0)
        entries = list(log.view().entries())
        assert sorted(entries) == sorted([*BEFORE[:5], *BATCHES[1]]), (at, mode)
        note = files.read(PUBLISHED)
        assert note is not None
        assert audit(files.read, note, POLICY).failures == ()
        assert [p for p in folder.rglob("*.new") if p.is_file()] == []
        files.close()
    return counted


CELLS = (HEAD, PUBLISHED)
CALLS = ("failed", "failed but done", "killed before", "killed after", "killed by a power cut")


@pytest.mark.parametrize("mode", CALLS)
def test_every_call_of_the_system_can_go_wrong(tmp_path, mode):
    files = Files.writing(tmp_path / "before")
    Log.create(files, [KEY], lambda: 0).extend(BEFORE[:5])
    files.close()

    def run(name: str, at: int) -> int:
        folder = tmp_path / name
        shutil.copytree(tmp_path / "before", folder)
        return on_files(folder, at, mode)

    every = run("clean", 0)
    assert every > 30
    for at in range(1, every + 1):
        run(str(at), at)


APPENDS = """
import sys
from pathlib import Path
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Signer
from hakushi.ledger.log import Log
log = Log(Files.writing(Path(sys.argv[1])), [Signer.parse(sys.argv[2])], lambda: 0)
for i in range(100000):
    index = log.extend([b"%s %d" % (sys.argv[3].encode(), i)])[0]
    print(index, flush=True)
"""


def test_killed_for_good(tmp_path):
    """A real process, a real SIGKILL: what it printed is in the log."""
    files = Files.writing(tmp_path / "log")
    Log.create(files, [KEY], lambda: 0)
    files.close()
    acknowledged: dict[int, bytes] = {}
    for turn in ("a", "b", "c"):
        words = [sys.executable, "-c", APPENDS, str(tmp_path / "log"), KEY.secret, turn]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for i in range(15):
                acknowledged[int(child.stdout.readline())] = b"%s %d" % (turn.encode(), i)
            child.send_signal(signal.SIGKILL)
    files = Files.writing(tmp_path / "log")
    view = Log(files, [KEY], lambda: 0).view()
    entries = list(view.entries())
    assert {i: entries[i] for i in acknowledged} == acknowledged
    assert len(set(entries)) == len(entries)
    assert audit(files.read, view.note, POLICY).holds
    files.close()


# --- many threads -------------------------------------------------------------------------------


def test_those_who_wait_share_a_batch():
    """While one batch is on its way to the disk, others queue, and the next batch takes them all."""
    inner, gate, entered = Memory(), threading.Event(), threading.Event()

    class Slow(Faulty):
        def put(self, objects: Mapping[str, bytes]) -> None:
            entered.set()
            gate.wait(30)
            super().put(objects)

    Log.create(inner, [KEY], lambda: 0)
    store = Slow(inner, Faults(0, "none"))
    gate.set()
    log = Log(store, [KEY], lambda: 0)
    gate.clear()
    entered.clear()
    got: dict[bytes, int] = {}

    def work(entry: bytes) -> None:
        got[entry] = log.append(entry).index

    threads = [threading.Thread(target=work, args=(b"%d" % i,)) for i in range(9)]
    threads[0].start()
    assert entered.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(log._queue) < 8:
        os.sched_yield()
    gate.set()
    for thread in threads:
        thread.join(30)
    assert sorted(got.values()) == list(range(9))
    assert [Checkpoint.of(h).size for h in store.heads] == [0, 1, 9]
    entries = list(log.view().entries())
    assert all(entries[index] == entry for entry, index in got.items())


def test_an_entry_whose_receipt_cannot_be_read_is_not_entered_twice():
    faults = Faults(0, "out after")
    log = Log(Faulty(prepared(Memory()), faults), [KEY], lambda: 0)
    faults.at = faults.count + 3  # after the swap: the first object that is applied
    with pytest.raises(Unsettled):
        log.append(b"a")
    faults.down = False
    assert log.append(b"a").index == 250
    assert log.append(b"b").index == 251


def test_one_bad_batch_fails_all_that_shared_it_and_no_more():
    faults = Faults(0, "failed")
    log = Log(Faulty(prepared(Memory()), faults), [KEY], lambda: 0)
    faults.at = faults.count + 1
    with pytest.raises(OSError, match="No space"):
        log.extend([b"a", b"b"])
    assert log.extend([b"c"]) == [250]


def test_what_was_staged_in_vain_is_cleared_away():
    """The same tree may come about by other batches, whose objects are others."""
    faults, inner = Faults(0, "failed"), prepared(Memory())
    log = Log(Faulty(inner, faults), [KEY], lambda: 0)
    faults.at = faults.count + 2  # what is staged is there; the swap fails
    seven = [b"%d" % i for i in range(7)]  # over the edge of a tile, at 256
    with pytest.raises(OSError, match="No space"):
        log.extend(seven)
    assert len(inner.names(STAGED)) == 1
    assert log.extend(seven[:6]) == list(range(250, 256))
    assert inner.names(STAGED) == []
    assert log.extend(seven[6:]) == [256]


def test_what_is_too_large_is_refused_alone():
    log = Log(prepared(Memory()), [KEY], lambda: 0)
    with pytest.raises(Refused, match="too large"):
        log.extend([b"fine", bytes(65536)])
    assert log.extend([bytes(65535)]) == [250]
    assert log.extend([]) == []


# --- what a start finds ---------------------------------------------------------------------------


def test_a_log_is_not_opened_with_another_key():
    store = prepared(Memory())
    with pytest.raises(Refused, match="not the one that signs"):
        Log(store, [Signer.new(KEY.name)], lambda: 0)
    with pytest.raises(Refused, match="is a log already"):
        Log.create(store, [KEY], lambda: 0)
    with pytest.raises(Refused, match="no log here"):
        Log(Memory(), [KEY], lambda: 0)


@pytest.mark.parametrize("name", ["tile/0/000.p/250", "tile/entries/000.p/250", HEAD])
def test_a_damaged_edge_is_not_written_on(name):
    for change in (lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: d[:-1], lambda d: None):
        store = prepared(Memory())
        data = store.read(name)
        assert data is not None
        store.remove([name])
        if (changed := change(data)) is not None:
            store.put({name: changed})
        with pytest.raises(Refused):
            Log(store, [KEY], lambda: 0)


def test_a_stray_object_is_not_written_over():
    """What lies where a tile must go is a fork or a forgery; the log stops there."""
    store = prepared(Memory())
    store.put({"tile/0/000.p/251": b"stray"})
    log = Log(store, [KEY], lambda: 0)
    assert log.extend([b"a"]) == [250]
    with pytest.raises(Refused, match="damaged"):
        log.extend([b"b"])
