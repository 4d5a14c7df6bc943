"""A limited child process around a parser that is not ours.

The child opens nothing: it asks its parent for extents over a socket pair, so any Source serves.
Its address space, processor time and open files are limited by the kernel, the time it may keep
its parent waiting by the parent. Whatever goes wrong in it is `Malformed` for the caller. A parser
that an attacker took over can lie in its answers and use its limits up, nothing more is given to
it; it still runs as the same user (see the threat model).

Frames both ways: one letter, a length (u32), a body. Parent: ``Q`` request (JSON), ``D`` bytes
that were read, ``U`` unreadable (why). Child: ``R`` read (offset and length as u64), ``V`` value
(JSON), ``B`` bytes, ``E`` end of the answer, ``X`` malformed (why).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hakushi
from hakushi.model import Extent, Malformed, Source, Unreadable

_HEAD = struct.Struct("<cI")
_READ = struct.Struct("<QQ")
_FRAME = 32 << 20
"""Bytes of the largest frame that either side takes."""

_MOST = 8 << 20
"""Bytes of the largest read that a child may ask for."""

PAGE = 1 << 16
_PAGES = 256
_AHEAD = 16 * PAGE
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: bytes of address space, seconds of processor, and of its parent's time.

    ``seconds``: how long it may keep its parent waiting in one answer, all waits together, and
    ``silence``, at a stretch; the time that reading the Source takes is not the child's.
    """

    memory: int = 1 << 30
    cpu: int = 3600
    seconds: float = 1800.0
    silence: float = 60.0
    files: int = 64


class Child:
    """One process running ``python PROGRAM`` (``-m``, a module), which must call `serve`.

    Safe from any thread: answers come one at a time. After a failure it is dead, and every further
    question raises Malformed.
    """

    def __init__(
        self, program: Sequence[str], source: Source, limits: Limits | None = None
    ) -> None:
        self._source = source
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        try:
            self._process = _start(program, theirs, source.size, self._limits)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._left = 0.0
        self._dead = ""

    @property
    def alive(self) -> bool:
        return not self._dead

    def ask(self, request: Any, tick: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """What the child answers: JSON values and bytes, as they come.

        ``tick`` is called for every frame, and every second without one; it may raise to stop. An
        answer that is not taken to its end ends the child.
        """
        with self._lock:
            if self._dead:
                raise Malformed(self._dead)
            self._left = self._limits.seconds
            ended = False
            try:
                self._send(b"Q", json.dumps(request).encode())
                while True:
                    letter, body = self._receive(tick)
                    if letter == b"E":
                        ended = True
                        return
                    if letter == b"X":
                        ended = True
                        raise Malformed(body.decode("utf-8", "replace")[:500])
                    if letter == b"R":
                        self._serve(body)
                    else:
                        yield _value(letter, body)
            finally:
                if not ended:
                    self._end("its answer was not taken to the end")

    def close(self) -> None:
        """Ends the process."""
        self._end("closed")

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None and not self._dead:
            self.close()

    def _end(self, why: str) -> int | None:
        """Kills what is left; the exit code of a child that had died by itself."""
        self._dead = self._dead or f"the parser is gone: {why}"
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(0.5 if why == "died" else 0)
        self._process.kill()
        self._process.wait()
        return None

    def _fail(self, why: str) -> Malformed:
        self._dead = f"the parser {why}"
        self._end(why)
        return Malformed(self._dead)

    def _died(self) -> Malformed:
        code = self._end("died")
        names = {-signal.SIGXCPU: "ran out of processor time", 77: "ran out of memory"}
        self._dead = f"the parser {names.get(code or 0, f'died (exit {code})')}"
        return Malformed(self._dead)

    def _send(self, letter: bytes, body: bytes) -> None:
        try:
            self._socket.settimeout(60)
            self._socket.sendall(_HEAD.pack(letter, len(body)))
            self._socket.sendall(body)
        except OSError:
            raise self._died() from None

    def _receive(self, tick: Callable[[], None]) -> tuple[bytes, bytes]:
        letter, length = _HEAD.unpack(self._take(_HEAD.size, tick))
        if length > _FRAME:
            raise self._fail("sent nonsense")
        return letter, self._take(length, tick)

    def _take(self, length: int, tick: Callable[[], None]) -> bytes:
        out = bytearray()
        silent = 0.0
        while len(out) < length:
            if self._left <= 0 or silent > self._limits.silence:
                raise self._fail("ran out of time")
            began = time.monotonic()
            part: bytes | None = None
            try:
                self._socket.settimeout(max(0.001, min(1.0, self._left)))
                part = self._socket.recv(min(length - len(out), 1 << 20))
            except TimeoutError:
                pass
            except OSError:
                raise self._died() from None
            waited = time.monotonic() - began
            self._left -= waited
            silent = silent + waited if part is None else 0.0
            tick()
            if part is not None:
                if not part:
                    raise self._died()
                out += part
        return bytes(out)

    def _serve(self, body: bytes) -> None:
        if len(body) != _READ.size:
            raise self._fail("sent nonsense")
        offset, length = _READ.unpack(body)
        if length > _MOST:
            raise self._fail("asked for too much")
        try:
            data = self._source.read(Extent(offset, length))
        except Unreadable as error:
            self._send(b"U", error.why.encode())
            return
        self._send(b"D", data)


def _value(letter: bytes, body: bytes) -> Any:
    if letter == b"B":
        return body
    if letter != b"V":
        raise Malformed("the parser sent nonsense")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the parser sent nonsense") from None


def _start(
    program: Sequence[str], theirs: socket.socket, size: int, limits: Limits
) -> subprocess.Popen[bytes]:
    fd = theirs.fileno()
    home = str(Path(hakushi.__file__).resolve().parent.parent)
    numbers = (fd, size, limits.memory, limits.cpu, limits.files)
    # -P: the current folder may be hostile, and is not searched for modules.
    return subprocess.Popen(
        [sys.executable, "-P", *program, *map(str, numbers)],
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        cwd="/",
        env={"PYTHONPATH": home, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
    )


# --- the child's side --------------------------------------------------------------------


class Reader:
    """The parent's Source, in the child: reads whole pages and keeps the last of them."""

    def __init__(self, pipe: socket.socket, size: int) -> None:
        self.size = size
        self._pipe = pipe
        self._pages: OrderedDict[int, bytes] = OrderedDict()
        self._buffer = bytearray(_AHEAD)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the source, cut at its end. Raises Unreadable."""
        end = min(offset + length, self.size)
        if offset < 0 or offset >= end:
            return b""
        if end - offset >= PAGE * 4:
            step = _MOST
            pieces = range(offset, end, step)
            return b"".join(bytes(self._ask(at, min(step, end - at))) for at in pieces)
        first = offset - offset % PAGE
        try:
            data = b"".join(self._page(at) for at in range(first, end, PAGE))
        except Unreadable:
            # The bad sector may lie beside what is wanted.
            return bytes(self._ask(offset, end - offset))
        return data[offset - first : end - first]

    def _page(self, at: int) -> bytes:
        page = self._pages.get(at)
        if page is not None:
            self._pages.move_to_end(at)
            return page
        # Who reads on from page to page is given more at once.
        ahead = _AHEAD if at - PAGE in self._pages else PAGE
        try:
            data = self._ask(at, min(ahead, self.size - at))
        except Unreadable:
            data = self._ask(at, min(PAGE, self.size - at))
        for start in range(0, len(data), PAGE):
            self._pages[at + start] = bytes(data[start : start + PAGE])
        while len(self._pages) > _PAGES:
            self._pages.popitem(last=False)
        return self._pages.get(at, b"")

    def _ask(self, at: int, length: int) -> memoryview:
        """Bytes from the parent, valid until the next question: fresh memory is dear."""
        _put(self._pipe, b"R", _READ.pack(at, length))
        letter, size = _HEAD.unpack(_exactly(self._pipe, _HEAD.size))
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        view = memoryview(self._buffer)[:size]
        _fill(self._pipe, view)
        if letter == b"U":
            raise Unreadable(Extent(at, length), bytes(view).decode("utf-8", "replace"))
        return view


def serve(start: Callable[[Reader], Callable[[Any], Iterator[Any]]]) -> None:
    """A child's whole life. ``start(reader)`` gives what answers requests.

    An answer's items are bytes or what JSON can say; Malformed ends the answer, MemoryError and
    everything else the child.
    """
    fd, size, memory, cpu, files = map(int, sys.argv[1:6])
    pipe = socket.socket(fileno=fd)
    _limit(memory, cpu, files)
    try:
        answer = start(Reader(pipe, size))
        while True:
            _, body = _get(pipe)
            try:
                for item in answer(json.loads(body)):
                    if isinstance(item, bytes):
                        _put(pipe, b"B", item)
                    else:
                        _put(pipe, b"V", json.dumps(item).encode())
                _put(pipe, b"E", b"")
            except (Malformed, Unreadable) as error:
                _put(pipe, b"X", str(error).encode("utf-8", "replace")[:2000])
            except (OSError, EOFError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - a bug in here must say its name
                _put(pipe, b"X", f"internal error: {error!r}".encode("utf-8", "replace")[:2000])
    except (EOFError, OSError):
        os._exit(0)
    except MemoryError:
        os._exit(77)


def _limit(memory: int, cpu: int, files: int) -> None:
    allowed = resource.getrlimit(resource.RLIMIT_AS)[1]
    if allowed != resource.RLIM_INFINITY:
        memory = min(memory, allowed)  # a worker is limited itself
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _no_new_privileges()


def _no_new_privileges() -> None:
    import ctypes

    pr_set_no_new_privs = 38
    ctypes.CDLL(None).prctl(pr_set_no_new_privs, 1, 0, 0, 0)


def _put(pipe: socket.socket, letter: bytes, body: bytes) -> None:
    pipe.sendall(_HEAD.pack(letter, len(body)) + body)


def _get(pipe: socket.socket) -> tuple[bytes, bytes]:
    letter, length = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    return letter, _exactly(pipe, length)


def _exactly(pipe: socket.socket, length: int) -> bytes:
    out = bytearray(length)
    _fill(pipe, memoryview(out))
    return bytes(out)


def _fill(pipe: socket.socket, view: memoryview) -> None:
    while view:
        got = pipe.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
