"""A parser in a child may die, hang, lie or eat: its caller gets Malformed, in bounded time."""

from __future__ import annotations

import threading
import time

import pytest

from hakushi.fleet.child import Child, Limits
from hakushi.media import Memory
from hakushi.model import Extent, Locator, Malformed, Unreadable

DATA = bytes(range(256)) * 4096


def child(body: str, limits: Limits | None = None, source: object = None) -> Child:
    """A child whose answer to every request is the generator ``answer(reader, request)``."""
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    program = (
        "import os, time, signal, socket, struct, sys\n"
        "from hakushi.fleet.child import serve\n"
        "from hakushi.model import Malformed, Unreadable\n"
        f"def answer(reader, request):\n{lines}\n    yield from ()\n"
        "serve(lambda reader: lambda request: answer(reader, request))\n"
    )
    return Child(("-c", program), source or Memory(DATA), limits or Limits(seconds=20))


class Bad:
    """A source of which the middle cannot be read."""

    locator = Locator.root("memory", "bad")
    size = 1 << 20

    def read(self, extent: Extent) -> bytes:
        if extent.offset < 520_000 < extent.end:
            raise Unreadable(extent, "bad sector")
        return DATA[extent.offset : min(extent.end, self.size)]


def test_it_answers_with_values_and_bytes_from_the_source() -> None:
    one = child("yield request\nyield reader.read(request[0], request[1])\nyield {'a': None}")
    assert list(one.ask([1000, 5000])) == [[1000, 5000], DATA[1000:6000], {"a": None}]
    assert list(one.ask([0, 1 << 20]))[1] == DATA
    assert list(one.ask([(1 << 20) - 5, 50]))[1] == DATA[-5:]
    assert list(one.ask([1 << 40, 50]))[1] == b""
    one.close()


DEATHS = {
    "exits": ("os._exit(3)", "exit 3"),
    "aborts": ("os.abort()", "died"),
    "segfaults": ("os.kill(os.getpid(), signal.SIGSEGV)", "died"),
    "eats memory": ("x = bytearray(1 << 31)\nyield len(x)", "out of memory"),
    "eats memory bit by bit": (
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "out of memory",
    ),
    "spins": ("while True: pass", "out of processor time"),
    "hangs": ("time.sleep(600)", "out of time"),
    "drips": ("while True:\n    time.sleep(0.02)\n    reader.read(0, 10)", "out of time"),
    "opens files": ("files = [open('/dev/null') for _ in range(1000)]\nyield 1", "died"),
    "writes a file": (
        "f = open('/tmp/hakushi-child', 'wb')\nf.write(b'x' * 9999)\nf.flush()",
        "died",
    ),
}
NONSENSE = {
    "unknown letter": "os.write(int(sys.argv[1]), b'Z\\0\\0\\0\\0')\ntime.sleep(9)",
    "endless frame": "os.write(int(sys.argv[1]), b'V\\xff\\xff\\xff\\xff')\ntime.sleep(9)",
    "torn frame": "os.write(int(sys.argv[1]), b'V\\x09\\0\\0\\0[1,2')\nos._exit(0)",
    "no json": "os.write(int(sys.argv[1]), b'V\\x03\\0\\0\\0[1,')\ntime.sleep(9)",
    "deep json": (
        "d = b'[' * 200000\n"
        "os.write(int(sys.argv[1]), b'V' + struct.pack('<I', len(d)) + d)\ntime.sleep(9)"
    ),
    "read without place": "os.write(int(sys.argv[1]), b'R\\x01\\0\\0\\0x')\ntime.sleep(9)",
    "read of everything": (
        "os.write(int(sys.argv[1]), b'R\\x10\\0\\0\\0' + struct.pack('<QQ', 0, 1 << 62))\n"
        "time.sleep(9)"
    ),
}
TIGHT = Limits(memory=400 << 20, cpu=1, seconds=4.0, files=32)
ROOMY = Limits(memory=400 << 20, cpu=60, seconds=60.0, files=32)
"""For the deaths by memory: on a busy machine, touching it takes more than a second of processor."""


@pytest.mark.parametrize("name", DEATHS)
def test_a_death_is_malformed_and_the_next_question_too(name: str) -> None:
    body, why = DEATHS[name]
    one = child(body, ROOMY if name.startswith("eats") else TIGHT)
    began = time.monotonic()
    with pytest.raises(Malformed, match=why):
        list(one.ask(None))
    assert time.monotonic() - began < 60
    assert not one.alive
    with pytest.raises(Malformed):
        list(one.ask(None))


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_malformed(name: str) -> None:
    one = child(NONSENSE[name], Limits(seconds=20))
    with pytest.raises(Malformed):
        list(one.ask(None))
    one.close()


def test_what_it_said_before_it_died_is_kept() -> None:
    one = child("yield 1\nyield 2\nos.abort()")
    answer = one.ask(None)
    got = [next(answer), next(answer)]
    with pytest.raises(Malformed):
        next(answer)
    assert got == [1, 2]


def test_malformed_in_the_child_ends_the_answer_alone() -> None:
    one = child("if request: raise Malformed('no such thing')\nyield 'fine'")
    with pytest.raises(Malformed, match="no such thing"):
        list(one.ask(1))
    assert list(one.ask(0)) == ["fine"]
    one.close()


def test_a_bug_in_the_child_says_its_name() -> None:
    with pytest.raises(Malformed, match="internal error: ZeroDivisionError"):
        list(child("yield 1 / 0").ask(None))


def test_a_bad_sector_is_unreadable_and_what_is_beside_it_is_read() -> None:
    one = child(
        "try:\n    yield reader.read(519990, 20)\n"
        "except Unreadable as error:\n    yield error.why\n"
        "yield reader.read(519000, 100)\nyield reader.read(520100, 100)",
        source=Bad(),
    )
    assert list(one.ask(None)) == ["bad sector", DATA[519000:519100], DATA[520100:520200]]
    one.close()


def test_an_answer_that_is_given_up_ends_the_child() -> None:
    one = child("while True: yield 1")
    answer = one.ask(None)
    assert next(answer) == 1
    answer.close()
    assert not one.alive


def test_the_caller_may_stop_it_at_every_frame() -> None:
    ticks = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) > 50:
            raise Malformed("budget")

    one = child("while True: yield 1")
    with pytest.raises(Malformed, match="budget"):
        list(one.ask(None, tick))
    assert not one.alive


def test_silence_ends_it_long_before_its_time() -> None:
    one = child("yield 1\ntime.sleep(600)", Limits(seconds=600, silence=1.0))
    answer = one.ask(None)
    assert next(answer) == 1
    began = time.monotonic()
    with pytest.raises(Malformed, match="out of time"):
        next(answer)
    assert time.monotonic() - began < 15


def test_the_caller_may_stop_it_while_it_says_nothing() -> None:
    def tick() -> None:
        raise Malformed("budget")

    one = child("while True: pass")
    began = time.monotonic()
    with pytest.raises(Malformed, match="budget"):
        list(one.ask(None, tick))
    assert time.monotonic() - began < 10
    assert not one.alive


def test_threads_get_their_own_answers() -> None:
    one = child("yield request\nyield reader.read(request * 1000, 300)")
    wrong = []

    def work(number: int) -> None:
        for n in range(number, number + 40):
            got = list(one.ask(n))
            wrong.extend([n] if got != [n, DATA[n * 1000 : n * 1000 + 300]] else [])

    threads = [threading.Thread(target=work, args=(n * 100,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    one.close()


def test_the_current_folder_is_not_searched_for_modules(tmp_path, monkeypatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    one = child("yield 'fine'")
    assert list(one.ask(None)) == ["fine"]
    one.close()
