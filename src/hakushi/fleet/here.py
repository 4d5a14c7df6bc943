"""Processes on this machine: the engine that every bench has.

Each worker takes one unit at a time over its own pipe, so that a worker that is killed, runs out of
memory or hangs takes only its unit with it; a fresh one steps in.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from hakushi.fleet import Piece
from hakushi.model import Malformed, Refused, Unreadable

_log = logging.getLogger(__name__)

_MEMORY = 4 << 30
"""Address space a worker may map; compiled kernels reserve far more than they use."""


_YOUNG = 100_000
"""New objects between two looks of Python's collector for circles: a worker makes findings by the
hundred thousand, and none of them is in one; looking at each again and again took a quarter of the
time."""

_SILENT_DEATHS = 20
"""Workers that die one after the other without a word: then none can work here."""


class _Forward(logging.Handler):
    """Sends a worker's log records home, tracebacks and all: its screen is nobody's."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._pipe.send(("log", (record.levelno, self.format(record))))
        except OSError:
            return  # Home is gone: so is whoever would have read it.


def _begun(begin: Callable[[], None] | None) -> bool:
    try:
        if begin is not None:
            begin()
    except Exception:  # noqa: BLE001 - told to the log at home; its end tells the rest
        _log.exception("a worker could not begin")
        return False
    return True


def _work(pipe: Connection, memory: int, begin: Callable[[], None] | None) -> None:
    """A worker's whole life: unit in, values out, ("end", why not or None) after each."""
    logging.getLogger().handlers[:] = [_Forward(pipe)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not _begun(begin):
        return
    gc.freeze()
    gc.set_threshold(_YOUNG, 50, 50)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        look, unit = task
        why = None
        try:
            for value in look(unit):
                pipe.send(("value", value))
        except MemoryError:
            why = "out of memory"
        except (BrokenPipeError, ConnectionResetError):
            return
        except (Malformed, Refused, Unreadable) as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - a bug must not look like a finished unit
            _log.exception("bug in a unit")
            why = f"internal error: {type(error).__name__}: {error}"
        try:
            pipe.send(("end", why))
        except OSError:
            return


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of it: a process that is begun by half complains on the screen."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C comes to the main thread alone.
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
    if came:
        signal.raise_signal(signal.SIGINT)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    unit: Any = None
    since: float = 0.0


class Here:
    """``workers`` processes; a unit that says nothing for ``patience`` seconds is given up.

    Workers stay for the next `run` until `close`: what they have loaded is dear. Each does
    ``begin`` first, once.
    """

    def __init__(
        self,
        workers: int = 0,
        *,
        patience: float = 900.0,
        memory: int = _MEMORY,
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._idle: list[_Worker] = []
        self._silent = 0
        self._begin = begin
        self.workers = workers or len(os.sched_getaffinity(0))
        self._patience = patience
        self._memory = memory
        # Forked from a small server process: quick, and free of this process's threads.
        self._context = multiprocessing.get_context("forkserver")

    def close(self) -> None:
        """Lets all workers go. A later `run` hires new ones."""
        while self._idle:
            self._dismiss(self._idle.pop())

    def __del__(self) -> None:
        self.close()

    def run(self, look: Callable[[Any], Iterator[Any]], units: Iterable[Any]) -> Iterator[Piece]:
        queue = iter(units)
        crew: list[_Worker] = []
        try:
            for _ in range(self.workers):
                unit = next(queue, None)
                if unit is None:
                    break
                self._join(look, unit, crew)
            while crew:
                yield from self._round(look, queue, crew)
        finally:
            for worker in crew:
                self._dismiss(worker)

    def _join(self, look: Callable[[Any], Iterator[Any]], unit: Any, crew: list[_Worker]) -> None:
        with _uninterrupted():
            crew.append(self._hire(look, unit))

    def _hire(self, look: Callable[[Any], Iterator[Any]], unit: Any) -> _Worker:
        if self._idle:
            worker = self._idle.pop()
            self._give(worker, look, unit)
            return worker
        ours, theirs = self._context.Pipe()
        life = (theirs, self._memory, self._begin)
        process = self._context.Process(target=_work, args=life, daemon=False)
        try:
            process.start()
        except EOFError:
            # What workers are forked from was killed meanwhile: another one is begun.
            process = self._context.Process(target=_work, args=life, daemon=False)
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._give(worker, look, unit)
        return worker

    @staticmethod
    def _give(worker: _Worker, look: Callable[[Any], Iterator[Any]], unit: Any) -> None:
        worker.unit, worker.since = unit, time.monotonic()
        # A worker that died in between shows as an ended pipe in the next round.
        try:
            worker.pipe.send((look, unit))
        except OSError:
            worker.pipe.close()

    @staticmethod
    def _dismiss(worker: _Worker) -> None:
        worker.process.kill()
        worker.process.join()
        if not worker.pipe.closed:
            worker.pipe.close()

    def _round(
        self, look: Callable[[Any], Iterator[Any]], queue: Iterator[Any], crew: list[_Worker]
    ) -> Iterator[Piece]:
        """Takes what the workers have to say now; replaces who died or hangs."""
        open_pipes = {w.pipe: w for w in crew if not w.pipe.closed}
        ready = wait(list(open_pipes), timeout=1.0) if open_pipes else []
        for worker in list(crew):
            if worker.pipe.closed or worker.pipe in ready:
                yield from self._hear(look, queue, crew, worker)
            elif time.monotonic() - worker.since > self._patience:
                yield from self._replace(look, queue, crew, worker, "out of time")

    def _hear(
        self,
        look: Callable[[Any], Iterator[Any]],
        queue: Iterator[Any],
        crew: list[_Worker],
        worker: _Worker,
    ) -> Iterator[Piece]:
        try:
            word, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            why = f"its worker died (exit {worker.process.exitcode})"
            yield from self._replace(look, queue, crew, worker, why)
            return
        worker.since = time.monotonic()
        if word == "log":
            _log.log(value[0], "%s", value[1])
            return
        self._silent = 0
        if word == "value":
            yield Piece(worker.unit, value)
            return
        yield Piece(worker.unit, None, last=True, failed=value)
        unit = next(queue, None)
        if unit is None:
            crew.remove(worker)
            self._idle.append(worker)
        else:
            self._give(worker, look, unit)

    def _replace(
        self,
        look: Callable[[Any], Iterator[Any]],
        queue: Iterator[Any],
        crew: list[_Worker],
        worker: _Worker,
        why: str,
    ) -> Iterator[Piece]:
        self._dismiss(worker)
        crew.remove(worker)
        self._silent += 1
        if self._silent > _SILENT_DEATHS:
            raise RuntimeError("workers die before they say anything")
        yield Piece(worker.unit, None, last=True, failed=why)
        unit = next(queue, None)
        if unit is not None:
            self._join(look, unit, crew)


def prepare(module: str) -> None:
    """Begins to load a module in the process that workers are forked from, beside this one's own
    work: they begin with it there, and share its memory. Of several calls the first one holds.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload([module])
    forkserver.ensure_running()


def orphans_say_nothing() -> None:
    """Called in the process that workers are forked from: a worker whose maker was killed before it
    told it what to do ends without a word.
    """

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, (EOFError, pickle.UnpicklingError)):
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = told


class Inline:
    """The caller's own process: for small work and for tests of what units do."""

    def run(self, look: Callable[[Any], Iterator[Any]], units: Iterable[Any]) -> Iterator[Piece]:
        for unit in units:
            for value in look(unit):
                yield Piece(unit, value)
            yield Piece(unit, None, last=True)
