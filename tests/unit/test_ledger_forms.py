"""The text forms: examples of their specifications, and what each refuses."""

import pytest

from hakushi.ledger.checkpoint import Checkpoint
from hakushi.ledger.keys import Kind, Signer, Verifier, signed_note
from hakushi.ledger.merkle import EMPTY, leaf_hash
from hakushi.ledger.note import Note, Signature, decode64, decode_number
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import Proof
from hakushi.ledger.tiles import (
    Edge,
    bundle_of,
    entries_of,
    hashes_of,
    place_of,
    tile_name,
    width_at,
)
from hakushi.model import Malformed

EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

COSIGNED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


# --- notes ----------------------------------------------------------------------------------


def test_the_example_of_signed_note_verifies():
    note, key = Note.parse(EXAMPLE.encode()), Verifier.parse(EXAMPLE_KEY)
    assert str(key) == EXAMPLE_KEY
    assert key.verifies(note.text, note.signatures[0])
    assert not key.verifies(note.text + "x\n", note.signatures[0])


def test_the_example_of_tlog_cosignature_parses():
    note = Note.parse(COSIGNED.encode())
    head = Checkpoint.parse(note.text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert [s.name for s in note.signatures] == [head.origin, "witness.example.com/w1"]
    cosigner = Verifier("witness.example.com/w1", Kind.ED25519_COSIGNATURE, bytes(32))
    assert cosigner.time(note.signatures[1]) == 1679315147
    assert note.encode() == COSIGNED.encode()


def test_a_text_may_hold_blank_lines():
    text = "first\n\nsecond\n\n"
    key = Signer.new("example.org/a")
    note = signed_note(text, (key,), 0)
    assert Note.parse(note.encode()) == note


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda n: n[:-1], "blank line"),
        (lambda n: n.replace("\n\n", "\n"), "blank line"),
        (lambda n: n.replace("message.", "mess\tage."), "control"),
        (lambda n: n.replace("message.", "mess\rage."), "control"),
        (lambda n: n.replace("— ", "- "), "signature line"),
        (lambda n: n.replace("— ", "—  "), "name"),
        (lambda n: n.replace("com/foo ", "com/foo  "), "base64"),
        (lambda n: n.replace("com/foo ", "com/+foo "), "name"),
        (lambda n: n.replace("com/foo ", "com/\u3000foo "), "name"),
        (lambda n: n.replace("yaQM=", "yaQN="), "unusual"),
        (lambda n: n.replace("yaQM=", "yaQM"), "base64"),
        (lambda n: n.replace("yaQM=", "ya\u00e9="), "base64"),
        (lambda n: n + "x" * (1 << 20), "1 MiB"),
        (lambda n: n + n.split("\n\n")[1] * 64, "signatures"),
        (lambda n: n.split("\n\n")[0] + "\n\n— a AAAAAA==\n", "key id"),
        (lambda n: n.split("\n\n")[0] + "\n\n", "blank line"),
    ],
)
def test_what_is_no_note(change, why):
    with pytest.raises(Malformed, match=why):
        Note.parse(change(EXAMPLE).encode())


def test_a_note_is_utf8():
    for place in (b"message", b"com/foo"):
        with pytest.raises(Malformed, match="UTF-8"):
            Note.parse(EXAMPLE.encode().replace(place, place + b"\xff"))


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", "-1", " 1", "1 ", "٣", "9223372036854775808"]
)
def test_a_number_has_one_form(text):
    with pytest.raises(Malformed):
        decode_number(text)


def test_the_largest_number():
    assert decode_number("9223372036854775807") == (1 << 63) - 1


@pytest.mark.parametrize("text", ["AA", "AA=", "AB==", "A A=", "AA==\n", "__8="])
def test_base64_has_one_form(text):
    with pytest.raises(Malformed):
        decode64(text)


# --- checkpoints ----------------------------------------------------------------------------

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n",
        f"o\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"o\n01\n{ROOT}\n",
        f"o\n1\n{ROOT[:-4]}\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n1\n{ROOT}\nx\n\ny\n",
    ],
)
def test_what_is_no_checkpoint(text):
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


def test_a_checkpoint_may_have_more_lines():
    head = Checkpoint.parse(f"o\n1\n{ROOT}\nmore\n")
    assert head.extensions == ("more",)
    assert head.text == f"o\n1\n{ROOT}\nmore\n"


# --- keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Kind))
def test_what_a_key_signs_its_public_half_verifies(kind):
    key = Signer.new("example.org/ключ", kind)
    text = Checkpoint("example.org/log", 5, bytes(32)).text
    line = key.sign(text, 1234)
    assert Verifier.parse(str(key.verifier)) == key.verifier
    assert Signer.parse(key.secret) == key
    assert key.verifier.verifies(text, line)
    assert key.verifier.time(line) == (1234 if kind.cosigns else None)
    assert not Signer.new(key.name, kind).verifier.verifies(text, line)


@pytest.mark.parametrize("kind", [k for k in Kind if k.cosigns])
def test_a_cosignature_states_its_time(kind):
    key = Signer.new("w", kind)
    text = Checkpoint("o", 5, bytes(32)).text
    line = key.sign(text, 1234)
    later = Signature(line.name, line.key_id, (1235).to_bytes(8, "big") + line.value[8:])
    assert not key.verifier.verifies(text, later)
    assert not key.verifier.verifies(text, Signature(line.name, line.key_id, line.value[:7]))


@pytest.mark.parametrize("kind", [k for k in Kind if k.cosigns])
def test_a_cosigner_signs_checkpoints_alone(kind):
    with pytest.raises(Malformed):
        Signer.new("w", kind).sign("anything\n", 1)


def test_a_secret_is_not_shown_by_accident():
    key = Signer.new("example.org/a")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a",
        "a+b",
        EXAMPLE_KEY.replace("530d", "530e"),
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("foo", "bar"),
        EXAMPLE_KEY.replace("Aeky", "Auky"),
        EXAMPLE_KEY + "=",
        EXAMPLE_KEY[:-4],
        "a+00000000+",
    ],
)
def test_what_is_no_key(vkey):
    with pytest.raises(Malformed):
        Verifier.parse(vkey)
    with pytest.raises(Malformed):
        Signer.parse("PRIVATE+KEY+" + vkey)
    with pytest.raises(Malformed):
        Signer.parse(vkey)


# --- tiles ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "index", "width", "name"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (2, 273, 112, "tile/2/273.p/112"),
        (1, 1000, 1, "tile/1/x001/000.p/1"),
    ],
)
def test_names_of_tiles(level, index, width, name):
    assert tile_name(level, index, width) == name
    assert place_of(name) == (level, index)


def test_the_example_of_partial_tiles():
    # tlog-tiles, "Partial Tiles": a tree of size 70,000.
    assert width_at(0, 272, 70000) == 256
    assert width_at(0, 273, 70000) == 112
    assert width_at(1, 0, 70000) == 256
    assert width_at(1, 1, 70000) == 17
    assert width_at(2, 0, 70000) == 1
    assert width_at(0, 274, 70000) == 0


def test_a_tree_of_256_has_a_full_tile_and_one_above():
    made = Edge().extend(b"%d" % i for i in range(256))
    assert sorted(made) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    assert len(made["tile/0/000"]) == 8192
    assert entries_of(made["tile/entries/000"])[255] == b"255"


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(8192 + 32)])
def test_what_is_no_tile(data):
    with pytest.raises(Malformed):
        hashes_of(data)


@pytest.mark.parametrize("data", [b"\0", b"\0\2a", b"\0\1ab", bytes(2 * 257)])
def test_what_is_no_bundle(data):
    with pytest.raises(Malformed):
        entries_of(data)


def test_bundles_read_back():
    entries = (b"", b"a", b"b" * 65535)
    assert entries_of(bundle_of(entries)) == entries


# --- proofs ---------------------------------------------------------------------------------

PROOF = f"c2sp.org/tlog-proof@v1\nindex 0\n{ROOT}\n\n{COSIGNED}"


def test_a_proof_reads_back():
    for text in (
        PROOF,
        PROOF.replace("index", "extra YWI=\nindex"),
        PROOF.replace(f"{ROOT}\n", "", 1),
    ):
        assert Proof.parse(text.encode()).encode() == text.encode()
    assert Proof.parse(PROOF.replace("index", "extra YWI=\nindex").encode()).extra == b"ab"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 0\n", ""),
        ("index 0\n", "index 00\n"),
        ("index 0\n", "index 0\n\n"),
        ("index 0\n", "index 0\nextra YWI=\n"),
        ("index 0\n", "extra YWJ=\nindex 0\n"),
        ("index 0\n", f"index 0\n{ROOT[:-4]}\n"),
        ("index 0\n", "index 0\n" + f"{ROOT}\n" * 63),
        ("example.com/behind-the-sofa\n20852163\n", "example.com/behind-the-sofa\n"),
        ("c2sp", "\nc2sp"),
    ],
)
def test_what_is_no_proof(old, new):
    with pytest.raises(Malformed):
        Proof.parse(PROOF.replace(old, new, 1).encode())


# --- policies -------------------------------------------------------------------------------


def signers(*names: str, kind: Kind = Kind.ED25519_COSIGNATURE) -> list[Signer]:
    return [Signer.new(name, kind) for name in names]


def test_the_example_of_tlog_policy():
    log = Signer.new("example.org/log")
    every = signers("X1", "X2", "X3", "Y1", "Y2", "Y3")
    text = f"\n# who\nlog {log.verifier} https://log.example\n"
    text += "".join(f"witness {k.name} \t{k.verifier} \n" for k in every)
    text += "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    text += "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    policy = Policy.parse(text.encode())
    head = Checkpoint(log.name, 0, EMPTY).text

    def quorum(*names: str) -> bool:
        keys = (log, *(k for k in every if k.name in names))
        return policy.standing(signed_note(head, keys, 99)).quorum

    assert quorum("X1", "X3", "Y2")
    assert quorum("X1", "X2", "X3", "Y1", "Y2", "Y3")
    assert not quorum("X1", "Y1", "Y2", "Y3")
    assert not quorum("X1", "X2", "X3")
    assert not quorum()


KEYS = {
    "L": str(Signer.new("example.org/log").verifier),
    "M": str(Signer.new("example.org/other").verifier),
    "A": str(Signer.new("a", Kind.ED25519_COSIGNATURE).verifier),
    "B": str(Signer.new("b", Kind.ML_DSA_44_COSIGNATURE).verifier),
}


@pytest.mark.parametrize(
    "lines",
    [
        "quorum none",
        "log {L}; quorum none",
        "log {L} https://x; log {M}; witness a {A}; witness b {B}; group g 2 a b; quorum g",
        "witness a {A}; quorum a; # more",
    ],
)
def test_what_is_a_policy(lines):
    Policy.parse("\n".join(lines.split("; ")).format(**KEYS).encode())


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("", "without a quorum"),
        ("log {L}", "without a quorum"),
        ("quorum none; quorum none", "second quorum"),
        ("quorum a", "no witness or group"),
        ("quorum a; witness a {A}", "no witness or group"),
        ("log {L}; log {L}; quorum none", "twice"),
        ("witness a {A}; witness b {A}; quorum a", "twice"),
        ("witness a {A}; witness a {B}; quorum a", "taken"),
        ("witness none {A}; quorum none", "taken"),
        ("witness a {L}; quorum a", "cosigns"),
        ("witness a {A}; group g all a a; quorum g", "twice"),
        ("witness a {A}; group g any a; group h any a; quorum g", "twice"),
        ("witness a {A}; group g 2 a; quorum g", "more members"),
        ("witness a {A}; group g 0 a; quorum g", "all, any or a number"),
        ("witness a {A}; group g 01 a; quorum g", "all, any or a number"),
        ("witness a {A}; group g any none; quorum g", "no witness or group"),
        ("group g any; quorum none", "not a line"),
        ("log {L} a b; quorum none", "not a line"),
        ("trust everyone; quorum none", "not a line"),
        ("log example.org; quorum none", "line 1"),
        ("quorum none\r", "control"),
        ("#\x07; quorum none", "control"),
    ],
)
def test_what_is_no_policy(lines, why):
    with pytest.raises(Malformed, match=why):
        Policy.parse("\n".join(lines.split("; ")).format(**KEYS).encode())


def test_names_in_a_policy_are_octets():
    lines = b"witness \xe2\x84\xaa " + KEYS["A"].encode() + b"\nwitness K " + KEYS["B"].encode()
    policy = Policy.parse(lines + b"\nquorum K\n")
    assert policy.quorum == "K"
    assert len(policy.witnesses) == 2
    Policy.parse(b"witness \xff " + KEYS["A"].encode() + b"\nquorum \xff\n")


def test_leaf_of_the_empty_entry():
    # RFC 6962 §2.1: the hash of one zero byte.
    assert leaf_hash(b"").hex().startswith("6e340b9cffb37a98")
