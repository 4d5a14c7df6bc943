"""Laws of the forms: what parses re-encodes to the same bytes; no bit of a receipt can change."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.ledger.audit import audit
from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Kind, Signer, Verifier
from hakushi.ledger.log import PUBLISHED, Log
from hakushi.ledger.note import Note
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import Proof, Receipt, check
from hakushi.ledger.store import Memory
from hakushi.model import Malformed

SIZE = 300


@cache
def world() -> tuple[Memory, Policy, bytes, bytes]:
    """A log of 300 entries, a policy that asks for two witnesses, an entry and its proof."""
    store = Memory()
    signer = Signer.new("example.org/log")
    witnesses = [
        Signer.new("example.org/w1", Kind.ED25519_COSIGNATURE),
        Signer.new("example.org/w2", Kind.ML_DSA_44_COSIGNATURE),
    ]
    log = Log.create(store, [signer], lambda: 0)
    log.extend([b"entry %d" % i for i in range(SIZE)])
    text = Note.parse(log.view().note).text
    log.cosign([w.sign(text, 1700000000) for w in witnesses])
    lines = [f"log {signer.verifier}", *(f"witness {w.name} {w.verifier}" for w in witnesses)]
    names = " ".join(w.name for w in witnesses)
    policy = Policy.parse("\n".join([*lines, f"group all all {names}", "quorum all"]).encode())
    receipt = log.view().receipt(123)
    return store, policy, receipt.entry, receipt.proof.encode()


def holds(entry: bytes, proof: bytes, policy: Policy) -> bool:
    try:
        return check(Receipt.of(entry, proof), policy).holds
    except Malformed:
        return False


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_the_receipt_holds():
    _, policy, entry, proof = world()
    checked = check(Receipt.of(entry, proof), policy)
    assert checked.holds
    assert checked.index == 123
    assert set(checked.witnesses.values()) == {1700000000}
    assert len(checked.witnesses) == 2


def test_every_flipped_bit_of_text_and_ed25519_fails():
    _, policy, entry, proof = world()
    last = proof.rindex(b"\n", 0, -1)  # the long line of ML-DSA is left to the next test
    for bit in range(last * 8):
        assert not holds(entry, flipped(proof, bit), policy), bit


@given(st.data())
def test_any_flipped_bit_of_the_proof_fails(data):
    _, policy, entry, proof = world()
    bit = data.draw(st.integers(0, len(proof) * 8 - 1))
    assert not holds(entry, flipped(proof, bit), policy)


@given(st.data())
def test_any_flipped_bit_of_the_entry_fails(data):
    _, policy, entry, proof = world()
    assert not holds(flipped(entry, data.draw(st.integers(0, len(entry) * 8 - 1))), proof, policy)


@given(st.data())
def test_anything_added_or_taken_away_fails(data):
    _, policy, entry, proof = world()
    at = data.draw(st.integers(0, len(proof)))
    assert not holds(entry, proof[:at] + data.draw(st.binary(min_size=1)) + proof[at:], policy)
    if at < len(proof):
        length = data.draw(st.integers(1, len(proof) - at))
        assert not holds(entry, proof[:at] + proof[at + length :], policy)


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_of_the_log_is_found(data):
    store, policy, _, _ = world()
    names = [PUBLISHED, *store.names("tile/")]
    damaged = data.draw(st.sampled_from(names))
    kept = store.read(damaged)
    assert kept is not None
    bad = flipped(kept, data.draw(st.integers(0, len(kept) * 8 - 1)))
    note = bad if damaged == PUBLISHED else store.read(PUBLISHED)
    assert note is not None
    found = audit(lambda n: bad if n == damaged else store.read(n), note, policy)
    assert not found.holds


# --- one encoding -----------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=9)


def mutated(seed: bytes) -> st.SearchStrategy[bytes]:
    """Bytes near ``seed``: some cut out, some put in."""
    cuts = st.tuples(st.integers(0, len(seed)), st.integers(0, 9), st.binary(max_size=5))
    return cuts.map(lambda c: seed[: c[0]] + c[2] + seed[c[0] + c[1] :])


@given(st.data())
def test_a_note_that_parses_re_encodes(data):
    _, _, _, proof = world()
    seed = proof.partition(b"\n\n")[2]
    for one in (data.draw(mutated(seed)), data.draw(st.binary(max_size=200))):
        try:
            note = Note.parse(one)
        except Malformed:
            continue
        assert note.encode() == one


@given(st.data())
def test_a_proof_that_parses_re_encodes(data):
    _, _, _, proof = world()
    one = data.draw(mutated(proof))
    try:
        parsed = Proof.parse(one)
    except Malformed:
        return
    assert parsed.encode() == one


@given(NAMES, st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_parse_back(origin, size, root):
    head = Checkpoint(origin, size, root)
    assert Checkpoint.parse(head.text) == head


@given(NAMES.filter(lambda n: "+" not in n), st.sampled_from(Kind), st.data())
def test_keys_parse_back(name, kind, data):
    key = Verifier(name, kind, data.draw(st.binary(min_size=kind.size, max_size=kind.size)))
    assert Verifier.parse(str(key)) == key


@given(st.data())
def test_a_key_that_parses_re_encodes(data):
    key = Signer("example.org/w", Kind.ED25519_COSIGNATURE, bytes(32))
    text = data.draw(mutated(str(key.verifier).encode()))
    try:
        assert str(Verifier.parse(text.decode("utf-8", "replace"))).encode() == text
    except Malformed:
        return


# --- what a policy decides --------------------------------------------------------------------


def test_an_unknown_signature_is_refused_until_it_is_trimmed():
    store, _, entry, proof = world()
    log = next(s for s in Note.parse(store.read(PUBLISHED) or b"").signatures)
    assert log.name == "example.org/log"
    whole = Receipt.of(entry, proof)
    policy = Policy.of_log(*(k for k in world()[1].logs))
    assert [f.id for f in check(whole, policy).failures] == [
        "The checkpoint is signed by {name}, whom the policy does not name."
    ] * 2
    assert check(whole.trimmed(policy), policy).holds


def test_a_stranger_vouches_for_nothing():
    _, _, entry, proof = world()
    stranger = Policy.of_log(Signer.new("example.org/log").verifier)
    receipt = Receipt.of(entry, proof).trimmed(world()[1])
    assert not check(receipt, stranger).holds


def test_without_a_policy_nobody_signed():
    _, _, entry, proof = world()
    checked = check(Receipt.of(entry, proof), None)
    assert checked.holds
    assert checked.signers == ()
    assert not check(Receipt.of(entry + b"x", proof), None).holds


def test_what_nothing_authenticates_is_refused():
    _, policy, entry, proof = world()
    parsed = Proof.parse(proof)
    extra = Proof(parsed.index, parsed.path, parsed.checkpoint, b"anything")
    assert not check(Receipt(entry, extra), policy).holds


def test_no_key_signs_twice():
    _, policy, entry, proof = world()
    parsed = Proof.parse(proof)
    note = Note.parse(parsed.checkpoint)
    twice = note.signed(note.signatures[0]).encode()
    assert not check(Receipt(entry, Proof(parsed.index, parsed.path, twice)), policy).holds
