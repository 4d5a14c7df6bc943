"""A witness signs what extends what it saw, keeps what it saw, and convicts who shows it two histories."""

import pytest

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.files import Files
from hakushi.ledger.keys import Kind, Signer, signed_note
from hakushi.ledger.log import Log
from hakushi.ledger.merkle import EMPTY
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import check
from hakushi.ledger.store import Memory
from hakushi.ledger.witness import Fork, Request, Witness, cosignatures
from hakushi.model import Malformed, Refused

LOG = Signer.new("example.org/log")
CLOCK = [1000]
COSIGNERS = [
    Signer.new("example.org/w", Kind.ED25519_COSIGNATURE),
    Signer.new("example.org/w", Kind.ML_DSA_44_COSIGNATURE),
]
KEYS = [signer.verifier for signer in COSIGNERS]


@pytest.fixture
def witness() -> Witness:
    CLOCK[0] = 1000
    return Witness(Memory(), COSIGNERS, [LOG.verifier], lambda: CLOCK[0])


def log_of(*entries: bytes) -> Log:
    log = Log.create(Memory(), [LOG], lambda: 0)
    log.extend(list(entries))
    return log


def entries(n: int, name: str = "e") -> list[bytes]:
    return [b"%s %d" % (name.encode(), i) for i in range(n)]


def send(witness: Witness, log: Log, old: int) -> int:
    view = log.view()
    proof = view.consistency(old) if 0 < old <= view.size else ()
    return witness.add_checkpoint(Request(old, proof, view.note).encode()).status


def test_a_growing_log_is_cosigned_and_its_receipts_hold(witness):
    log = log_of()
    lines = "\n".join(f"witness w{i} {key}" for i, key in enumerate(KEYS))
    policy = Policy.parse(
        f"log {LOG.verifier}\n{lines}\ngroup all all w0 w1\nquorum all\n".encode()
    )
    for n in (1, 2, 4, 7, 7, 300):
        log.extend(entries(n, str(n)))
        assert not check(log.view().receipt(0), policy).holds
        CLOCK[0] += 1
        log.cosign(cosignatures(log.view(), witness.add_checkpoint, KEYS))
        checked = check(log.view().receipt(n - 1), policy)
        assert checked.holds
        assert set(checked.witnesses.values()) == {CLOCK[0]}
    kept = witness.checkpoint(LOG.name)
    assert kept is not None
    assert kept == log.view().note


def test_a_start_keeps_the_cosignatures(witness):
    store = Memory()
    log = Log.create(store, [LOG], lambda: 0)
    log.extend(entries(3))
    log.cosign(cosignatures(log.view(), witness.add_checkpoint, KEYS))
    note = log.view().note
    assert len(Note.parse(note).signatures) == 3
    assert Log(store, [LOG], lambda: 0).view().note == note


def test_the_same_checkpoint_may_be_sent_again(witness):
    log = log_of(*entries(5))
    assert [send(witness, log, 0), send(witness, log, 5), send(witness, log, 0)] == [200, 200, 409]


def test_the_empty_log(witness):
    log = log_of()
    assert send(witness, log, 0) == 200
    note = signed_note(Checkpoint(LOG.name, 0, bytes(32)).text, (LOG,), 0).encode()
    assert witness.add_checkpoint(Request(0, (), note).encode()).status == 422
    log.extend(entries(2))
    assert send(witness, log, 0) == 200


def test_what_it_answers_to_others(witness):
    log = log_of(*entries(5))
    view = log.view()
    assert witness.add_checkpoint(b"old 0\n\nnothing").status == 400
    assert send(witness, log, 6) == 400
    stranger = signed_note(
        "other\n0\n" + Checkpoint("o", 0, EMPTY).text.split("\n")[2] + "\n", (LOG,), 0
    )
    assert witness.add_checkpoint(Request(0, (), stranger.encode()).encode()).status == 404
    text = Note.parse(view.note).text
    forged = signed_note(text, (Signer.new(LOG.name),), 0).encode()
    assert witness.add_checkpoint(Request(0, (), forged).encode()).status == 403
    spoilt = bytearray(view.note)
    spoilt[-10] ^= 1
    assert witness.add_checkpoint(Request(0, (), bytes(spoilt)).encode()).status in (400, 403)
    assert witness.add_checkpoint(Request(0, (bytes(32),), view.note).encode()).status == 422
    assert witness.checkpoint(LOG.name) is None
    answer = witness.add_checkpoint(Request(4, (), view.note).encode())
    assert (answer.status, answer.body, answer.content_type) == (409, b"0\n", "text/x.tlog.size")


def test_a_rollback_is_seen_by_who_asks(witness):
    assert send(witness, log_of(*entries(5)), 0) == 200
    with pytest.raises(Refused, match="rolled back"):
        cosignatures(log_of(*entries(4)).view(), witness.add_checkpoint, KEYS)


def test_a_fork_of_one_size_convicts(witness):
    assert send(witness, log_of(*entries(5)), 0) == 200
    assert send(witness, log_of(*entries(5, "other")), 5) == 422
    (fork,) = witness.forks(LOG.name)
    assert fork.holds(LOG.verifier)
    assert Fork.parse(fork.encode()) == fork
    assert not fork.holds(Signer.new(LOG.name).verifier)
    assert send(witness, log_of(*entries(5, "other")), 5) == 422
    assert len(witness.forks(LOG.name)) == 1


def test_a_forked_log_that_proves_its_own_history_convicts_itself(witness):
    assert send(witness, log_of(*entries(5)), 0) == 200
    assert send(witness, log_of(*entries(9, "other")), 5) == 422
    (fork,) = witness.forks(LOG.name)
    assert fork.holds(LOG.verifier)
    assert Fork.parse(fork.encode()).holds(LOG.verifier)


def test_it_convicts_by_what_it_did_not_cosign(witness):
    assert send(witness, log_of(*entries(5)), 0) == 200
    assert send(witness, log_of(*entries(3)), 0) == 409
    assert send(witness, log_of(*entries(3, "other")), 0) == 409
    (fork,) = witness.forks(LOG.name)
    assert fork.holds(LOG.verifier)


def test_who_reads_both_histories_convicts():
    ours, other = log_of(*entries(4)), log_of(*entries(9, "other"))
    fork = Fork.against(ours.view().note, other.view())
    assert fork is not None
    assert fork.holds(LOG.verifier)
    longer = log_of(*entries(9))
    assert Fork.against(ours.view().note, longer.view()) is None


@pytest.mark.parametrize("sizes", [(4, 9), (5, 5), (5, 9), (9, 9)])
def test_an_honest_log_is_never_convicted(sizes):
    one, two = (log_of(*entries(n)).view() for n in sizes)
    proof = two.consistency(one.size)
    for prefix in (one.head.root, two.head.root, b"", bytes(32)):
        for path in (proof, proof[1:], ()):
            assert not Fork(one.note, two.note, prefix, path).holds(LOG.verifier)
            assert not Fork(two.note, one.note, prefix, path).holds(LOG.verifier)


def test_it_does_not_sign_with_its_clock_set_back(witness):
    log = log_of(*entries(5))
    assert send(witness, log, 0) == 200
    CLOCK[0] -= 1
    assert send(witness, log, 5) == 503
    CLOCK[0] += 1
    assert send(witness, log, 5) == 200


def test_it_remembers_over_a_restart(tmp_path):
    files = Files.writing(tmp_path)
    first = Witness(files, COSIGNERS, [LOG.verifier], lambda: 1000)
    assert send(first, log_of(*entries(5)), 0) == 200
    files.close()
    files = Files.writing(tmp_path)
    second = Witness(files, COSIGNERS, [LOG.verifier], lambda: 1000)
    assert send(second, log_of(*entries(3)), 0) == 409
    assert send(second, log_of(*entries(5, "other")), 5) == 422
    assert second.forks(LOG.name)[0].holds(LOG.verifier)
    files.close()


def test_it_signs_nothing_that_it_cannot_keep(tmp_path):
    files = Files.writing(tmp_path)
    files.close()
    reading = Witness(Files(tmp_path), COSIGNERS, [LOG.verifier], lambda: 1000)
    with pytest.raises(Refused, match="reading only"):
        send(reading, log_of(*entries(5)), 0)


@pytest.mark.parametrize("body", [b"", b"old 0", b"old 01\n\n", b"old 0\n\n\n", b"old 0\nAA==\n\n"])
def test_what_is_no_request(body):
    with pytest.raises(Malformed):
        Request.parse(body + log_of().view().note if body.endswith(b"\n\n\n") else body)


def test_a_request_reads_back():
    log = log_of(*entries(9))
    body = Request(5, log.view().consistency(5), log.view().note).encode()
    assert Request.parse(body).encode() == body


def test_a_witness_needs_a_key_that_cosigns():
    with pytest.raises(ValueError, match="cosign"):
        Witness(Memory(), [LOG], [LOG.verifier], lambda: 0)
