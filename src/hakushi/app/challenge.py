"""The verbs of remote proof: seeds, questions about a drive's bytes, answers, a keystream box."""

from __future__ import annotations

import http.client
import http.server
import math
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from hakushi.assess.medium import open_medium
from hakushi.custody import challenge as ch
from hakushi.custody.challenge import Basis, Outcome, Secret
from hakushi.media import probe
from hakushi.model import Extent, Malformed, Message, Refused, Source, Unreadable, message
from hakushi.sanitize import Fill, Keystream, Served

__all__ = ["Basis", "Checked", "Outcome"]

_T = TypeVar("_T")

CONTENT_SPOTS = 64
KEYSTREAM_SPOTS = 1375
"""All right: a kept hundredth is missed once in a million times."""

_ENTROPY = 7.0
"""Bits a byte that a block must have at least, so that it cannot be guessed."""
_TRIES = 200
_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer, held against the secret."""

    secret: Secret
    outcome: Outcome
    serial: str


# --- seeds ------------------------------------------------------------------------------------


def new_seed(out: Path) -> None:
    """A random key for a keystream, in a new file that only its owner can read."""
    _private(out, f"{secrets.token_hex(ch.KEY)}\n".encode())


def stream(name: str) -> Fill:
    """The owner's keystream: a file with its seed, or the address of a box that serves it."""
    if name.startswith(("http://", "https://")):
        return Served(_fetcher(name))
    return Keystream(_seed(Path(name)))


def _seed(path: Path) -> bytes:
    try:
        key = bytes.fromhex(_read(path, 200).decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != ch.KEY:
        raise Refused(
            message("{path} holds no seed; `hakushi challenge seed` makes one.", path=str(path))
        )
    return key


# --- questions --------------------------------------------------------------------------------


def from_drive(name: str, out: Path, count: int) -> tuple[Path, Path]:
    """Reads secret places of a drive before it leaves; gives the secret's and question's files."""
    source = open_medium(name).source
    serial = probe.probe(name).serial
    key = secrets.token_bytes(ch.KEY)
    found: dict[int, str] = {}
    blocks = source.size // ch.BLOCK
    for _ in range(count * _TRIES if blocks else 0):
        at = secrets.randbelow(blocks) * ch.BLOCK
        block = _block(source, at)
        if at not in found and block is not None and _entropy(block) >= _ENTROPY:
            found[at] = ch.mac(key, at, block)
            if len(found) == count:
                break
    if len(found) < count:
        raise Refused(
            message(
                "Only {found} of {count} blocks with bytes that cannot be guessed were found; ask"
                " for fewer with --blocks, or erase it yourself with a seed first.",
                found=len(found),
                count=count,
            )
        )
    return _kept(_secret(Basis.CONTENT, serial, source.size, key, found), out)


def from_seed(seed: Path, size: int, serial: str, out: Path, count: int) -> tuple[Path, Path]:
    """Asks for blocks of a keystream that should lie on a drive of that size."""
    made, key = Keystream(_seed(seed)), secrets.token_bytes(ch.KEY)
    blocks = size // ch.BLOCK
    if blocks < 1:
        raise Refused(message("A drive of {bytes} bytes holds no block.", bytes=size))
    random = secrets.SystemRandom()
    places = [one * ch.BLOCK for one in random.sample(range(blocks), min(count, blocks))]
    found = {at: ch.mac(key, at, bytes(made.render(at, ch.BLOCK))) for at in places}
    return _kept(_secret(Basis.KEYSTREAM, serial, size, key, found), out)


def _secret(basis: Basis, serial: str, size: int, key: bytes, found: dict[int, str]) -> Secret:
    spots = tuple(sorted(found))
    macs = tuple(found[at] for at in spots)
    return Secret(basis, serial[:64], int(time.time()), size, key, spots, macs)


def _kept(secret: Secret, out: Path) -> tuple[Path, Path]:
    mine, theirs = out.with_name(f"{out.name}.secret"), out.with_name(f"{out.name}.question")
    _private(mine, secret.encode())
    _private(theirs, secret.question.encode())
    return mine, theirs


def _entropy(block: bytes) -> float:
    counts = [block.count(byte) for byte in set(block)]
    return -sum(n / len(block) * math.log2(n / len(block)) for n in counts)


def _block(source: Source, at: int) -> bytes | None:
    try:
        return source.read(Extent(at, ch.BLOCK))
    except Unreadable:
        return None


# --- answers ----------------------------------------------------------------------------------


def answer(question: Path, name: str, out: Path) -> int:
    """Answers out of the drive itself; gives the blocks that could not be read."""
    asked = _parsed(question, ch.Question.parse)
    source = open_medium(name).source
    if source.size != asked.size:
        raise Refused(
            message(
                "The question is about a drive of {asked:,} bytes; this one has {size:,}.",
                asked=asked.size,
                size=source.size,
            )
        )
    serial = probe.probe(name).serial[:64]
    made = ch.reply(asked, serial, int(time.time()), lambda at: _block(source, at))
    _private(out, made.encode())
    return sum(not one for one in made.macs)


def check(secret: Path, answered: Path) -> Checked:
    """Holds an answer against the secret. Raises `Malformed` where it is to another question."""
    kept, given = _parsed(secret, Secret.parse), _parsed(answered, ch.Answer.parse)
    return Checked(kept, ch.compare(kept, given), given.serial)


# --- the box ----------------------------------------------------------------------------------


def serve(seed: Path, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves a keystream's bytes until interrupted; the seed never leaves this machine."""
    made = Keystream(_seed(seed))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            wanted = _range(self.headers.get("Range", ""))
            if self.path != "/keystream" or wanted is None:
                self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                return
            at, length = wanted
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Length", str(length))
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            self.wfile.write(made.render(at, length))

        def log_message(self, *_words: object) -> None:
            return

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        why = error.strerror or str(error)
        raise Refused(
            message("It cannot listen on {host}:{port}: {why}.", host=host, port=port, why=why)
        ) from None
    with server:
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{server.server_address[1]}/keystream")
        server.serve_forever()


def _range(header: str) -> tuple[int, int] | None:
    """(start, length) of one range: aligned to the cipher's block, at most 4 MiB."""
    unit, _, span = header.partition("=")
    first, _, last = span.partition("-")
    if unit != "bytes" or not (first.isascii() and first.isdigit() and last.isdigit()):
        return None
    if max(len(first), len(last)) > 19:
        return None
    at, length = int(first), int(last) - int(first) + 1
    return (at, length) if at % 16 == 0 and 0 < length <= _AT_ONCE else None


def _fetcher(url: str) -> Callable[[int, int], bytes]:
    """Fetches from a box; a connection each time, so that none is left open."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection

    def fetch(at: int, length: int) -> bytes:
        span = f"bytes={at}-{at + length - 1}"
        try:
            with closing(kind(parts.hostname or "", parts.port, timeout=60)) as held:
                held.request("GET", parts.path or "/keystream", headers={"Range": span})
                reply = held.getresponse()
                data = reply.read(length + 1)
        except http.client.HTTPException as error:
            raise OSError(f"{url}: {type(error).__name__}") from None
        if reply.status != HTTPStatus.PARTIAL_CONTENT or len(data) != length:
            raise OSError(f"{url} answered {reply.status} with {len(data)} bytes")
        return data

    return fetch


# --- files ------------------------------------------------------------------------------------


def _parsed(path: Path, parse: Callable[[bytes], _T]) -> _T:
    try:
        return parse(_read(path, ch.LARGEST))
    except Malformed as error:
        raise Refused(
            message("{path} is not what is needed here: {why}.", path=str(path), why=str(error))
        ) from None


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        why = error.strerror or "?"
        raise Refused(message("{path} cannot be read: {why}.", path=str(path), why=why)) from None
    if len(data) > most:
        raise Refused(message("{path} is too large for what it should be.", path=str(path)))
    return data


def _private(path: Path, data: bytes) -> None:
    """A new file that only its owner can read."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = error.strerror or "?"
        raise Refused(message("{path} cannot be made: {why}.", path=str(path), why=why)) from None
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)


def told(checked: Checked) -> list[Message]:
    """What an answer shows, and what it does not."""
    out = checked.outcome
    lines = [
        message(
            "{right} blocks right, {wrong} wrong, {unread} not read.",
            right=out.right,
            wrong=out.wrong,
            unread=out.unread,
        )
    ]
    if not out.holds:
        lines.append(message("It does not hold: these are not the bytes that were asked for."))
    elif checked.secret.basis is Basis.CONTENT:
        lines += [
            message("Shown: who answered had the bytes of this drive after the question came."),
            message(
                "Not shown: that it is the drive itself and not a copy; that it will be erased."
            ),
        ]
    else:
        lines += [
            message(
                "Shown, if you read the drive yourself or the answerer has no seed: the keystream"
                " lies there. If a hundredth of it were something else, this many right answers had"
                " a chance of {miss:.1e}.",
                miss=out.miss(0.01),
            ),
            message(
                "Not shown: anything, if the answerer has the seed: every answer can be computed."
            ),
        ]
    return lines
