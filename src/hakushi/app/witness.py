"""The verbs on witnesses: serve one, ask those of a policy, show and check proofs of a fork."""

from __future__ import annotations

import http.client
import http.server
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from hakushi.app import keys, log
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Verifier
from hakushi.ledger.witness import Answer, Fork, Witness, cosignatures
from hakushi.model import Malformed, Message, Refused, message

_LARGEST = 2 << 20
_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What one witness of a policy answered."""

    name: str
    refused: Message | None


# --- serving ----------------------------------------------------------------------------------


def serve(
    place: Path,
    names: Sequence[str],
    policy: Path,
    where: tuple[str, int],
    ready: Callable[[str], None],
) -> None:
    """Cosigns what extends what it saw, over HTTP (C2SP tlog-witness), until interrupted.

    Keeps, durably, every checkpoint that it was shown, so that it can prove a fork to others.
    """
    signers = [keys.load(name) for name in names]
    if not signers or not all(one.kind.cosigns for one in signers):
        raise Refused(
            message("A witness signs with keys that cosign: `hakushi key new --type …-cosign`.")
        )
    logs = log.read_policy(policy).logs
    store = Files.writing(place)
    try:
        witness = Witness(store, signers, logs, time.time)
        _listen(witness, {_digest(one): one.name for one in logs}, where, ready)
    finally:
        store.close()


def _listen(
    witness: Witness,
    origins: dict[str, str],
    where: tuple[str, int],
    ready: Callable[[str], None],
) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _TIMEOUT

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != "/add-checkpoint":
                self._answer(Answer(404, b"not here\n"))
            elif not (length.isascii() and length.isdigit()) or int(length[:10]) > _LARGEST:
                self._answer(Answer(413, b"a request of at most 2 MiB, with its length\n"))
            else:
                try:
                    self._answer(witness.add_checkpoint(self.rfile.read(int(length))))
                except OSError:
                    # It could not be kept: then it is not signed.
                    self._answer(Answer(500, b"it could not be kept\n"))

        def do_GET(self) -> None:
            digest, _, what = self.path.lstrip("/").partition("/")
            origin = origins.get(digest)
            if origin is None or what not in {"checkpoint", "forks"}:
                self._answer(Answer(404, b"not here\n"))
            elif what == "forks":
                self._answer(Answer(200, b"".join(one.encode() for one in witness.forks(origin))))
            else:
                kept = witness.checkpoint(origin)
                self._answer(Answer(404, b"none yet\n") if kept is None else Answer(200, kept))

        def _answer(self, answer: Answer) -> None:
            self.close_connection = True
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_words: object) -> None:
            return

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET

    try:
        server = Server(where, Handler)
    except OSError as error:
        why = error.strerror or str(error)
        host, port = where
        raise Refused(
            message("It cannot listen on {host}:{port}: {why}.", host=host, port=port, why=why)
        ) from None
    with server, suppress(KeyboardInterrupt):
        shown = f"[{where[0]}]" if ":" in where[0] else where[0]
        ready(f"http://{shown}:{server.server_address[1]}")
        server.serve_forever()


def _digest(key: Verifier) -> str:
    return sha256(key.name.encode()).hexdigest()


# --- asking -----------------------------------------------------------------------------------


def ask(place: Path | None, policy: Path | None) -> list[Asked]:
    """Asks every witness of the policy that has an address, and publishes what they sign."""
    where = log.chosen(place)
    trust = log.policy_of(where, policy)
    told = []
    with log.writing(where, patience=30.0) as kept:
        for name, url in sorted(trust.urls.items()):
            key = trust.witnesses[name]
            try:
                lines = cosignatures(kept.view(), _asking(url), [key])
                if lines:
                    kept.cosign(lines)
                    told.append(Asked(name, None))
                else:
                    told.append(Asked(name, message("Its signature is not that of its key.")))
            except Refused as error:
                told.append(Asked(name, error.message))
            except (OSError, Malformed, http.client.HTTPException) as error:
                why = str(error)[:200] or type(error).__name__
                told.append(Asked(name, message("It does not answer: {why}.", why=why)))
    return told


def _asking(url: str) -> Callable[[bytes], Answer]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection

    def asked(body: bytes) -> Answer:
        with closing(kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)) as held:
            held.request("POST", parts.path.rstrip("/") + "/add-checkpoint", body)
            reply = held.getresponse()
            return Answer(reply.status, reply.read(_LARGEST))

    return asked


# --- forks ------------------------------------------------------------------------------------


def forks(place: Path, policy: Path) -> list[tuple[str, bytes]]:
    """(origin, proof) of every fork that a witness kept in that folder can prove."""
    store = Files(place)
    found = []
    for key in log.read_policy(policy).logs:
        prefix = f"{_digest(key)}/forks/"
        found += [(key.name, store.read(name) or b"") for name in store.names(prefix)]
    return found


def convicts(proof: Path, policy: Path) -> str | None:
    """The origin that a proof convicts, by the policy's keys alone; None where it does not hold."""
    keys_ = log.read_policy(policy).logs
    try:
        with proof.open("rb") as file:
            fork = Fork.parse(file.read(_LARGEST))
        return Checkpoint.of(fork.first).origin if fork.holds(*keys_) else None
    except FileNotFoundError:
        raise Refused(message("{path} does not exist; check the name.", path=str(proof))) from None
    except Malformed:
        return None
