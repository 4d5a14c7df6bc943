"""A drive's story, step by step, and every rule that a step can break."""

from dataclasses import dataclass, field

import pytest

from hakushi.custody import events as ev
from hakushi.custody.chain import Book, Chain
from hakushi.custody.orders import reconcile
from hakushi.ledger.keys import Kind, Signer

NAMES = ("log", "pref", "lessor", "bench", "audit", "thief", "bench-2")
KEYS = {n: Signer(n, Kind.ED25519, bytes([i + 1] * 32)) for i, n in enumerate(NAMES)}
ROLES = {"pref": "owner", "lessor": "lessor", "bench": "contractor", "audit": "auditor"}
ALICE, BOB = (ev.commitment(name, b"salt") for name in ("alice", "bob"))
DEADLINE = 2_000_000


@dataclass
class Story:
    """Events one after the other, in a log whose own key introduced four parties."""

    book: Book = field(default_factory=lambda: Book([KEYS["log"].verifier]))
    clock: int = 1_000_000
    count: int = 0
    given: dict[tuple[object, ...], ev.HandedOver] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, role in ROLES.items():
            key = str(KEYS[name].verifier)
            self.tell("key_added", "log", party=name, role=ev.Role(role), key=key)

    def tell(self, kind: str, *signers: str, at: int | None = None, **values) -> int:
        self.clock += 60
        made = {"at": at or self.clock, "nonce": f"{self.count:032x}"}
        return self.say(ev.EVENTS[kind](**(made | values)), *signers)

    def say(self, event: ev.Event, *signers: str) -> int:
        envelope = ev.envelope(event)
        for name in signers:
            envelope = envelope.signed(KEYS[name])
        self.book.take(self.count, envelope.encode())
        self.count += 1
        return self.count - 1

    def give(self, giver: str, receiver: str, *signers: str, drives=("D",)) -> None:
        """One payload, whoever signs it."""
        words = (giver, receiver, drives)
        if words not in self.given:
            self.clock += 60
            self.given[words] = ev.HandedOver(
                at=self.clock, nonce=f"{self.count:032x}", drives=drives,
                handover=f"{giver}-{receiver}", giver=giver, receiver=receiver,
            )  # fmt: skip
        self.say(self.given[words], *signers)

    def take_in(self, giver: str, receiver: str, drives=("D",), **values) -> None:
        self.tell("received", receiver, handover=f"{giver}-{receiver}", drives=drives, **values)

    def to_the_bench(self, drives=("D",)) -> None:
        for drive in drives:
            self.tell("registered", "pref", drive=drive, wwn=f"5000{drive}")
            self.tell("retired", "pref", drive=drive)
        self.tell(
            "ordered", "pref", drives=drives, order="O", policy="p", deadline=DEADLINE, to="bench"
        )
        self.give("pref", "bench", "pref", drives=drives)
        self.give("pref", "bench", "pref", "bench", drives=drives)

    def erase(self, by: str = "bench", person=ALICE, technique="overwrite", outcome="completed"):
        self.tell(
            "sanitized", by, drive="D", policy="p", technique=technique, method="Clear",
            outcome=ev.Outcome(outcome), tool="hakushi", person=person,
        )  # fmt: skip

    def look(self, verdict: str = "clean") -> None:
        self.tell("assessed", "bench", drive="D", verdict=ev.Found(verdict), tool="hakushi")

    @property
    def drive(self) -> Chain:
        return self.book.chains["D"]

    @property
    def rules(self) -> list[str]:
        return [one.rule for one in self.drive.breaks]


def good() -> Story:
    story = Story()
    story.to_the_bench()
    story.take_in("pref", "bench", wwns=("5000D",))
    story.erase()
    story.look()
    story.tell("validated", "audit", drive="D", accepted=True, person=BOB)
    return story


def test_a_story_without_a_break():
    story = good()
    assert story.rules == []
    assert (story.drive.state, story.drive.holder) == ("validated", "bench")
    story.tell("certified", "bench", drives=("D",), certificate=ev.Digest(ALICE))
    story.tell("released", "pref", drive="D")
    assert story.rules == []
    assert story.drive.state == "released"
    assert not story.drive.overdue(DEADLINE + 1)
    assert story.book.foreign == []


def test_custody_stays_with_the_giver_until_both_have_signed():
    story = Story()
    story.tell("registered", "pref", drive="D")
    story.tell("retired", "pref", drive="D")
    story.tell("ordered", "pref", drives=("D",), order="O", policy="p", deadline=9, to="bench")
    story.give("pref", "bench", "pref")
    assert (story.drive.state, story.drive.holder) == ("ordered", "pref")
    story.give("pref", "bench", "pref", "bench")
    assert (story.drive.state, story.drive.holder) == ("in_transit", "bench")


def test_an_acceptance_days_after_the_offer_breaks_no_rule():
    story = Story()
    story.tell("registered", "pref", drive="D")
    story.tell("retired", "pref", drive="D")
    story.tell("ordered", "pref", drives=("D",), order="O", policy="p", deadline=9, to="bench")
    story.give("pref", "bench", "pref")
    story.tell("noted", "pref", at=story.clock + 86_400, drive="D", text="The lorry was late.")
    story.give("pref", "bench", "pref", "bench")
    assert story.rules == []


def test_a_deadline_is_watched_until_the_end():
    story = Story()
    story.to_the_bench()
    assert not story.drive.overdue(DEADLINE)
    assert story.drive.overdue(DEADLINE + 1)


def one_signature(s):
    s.tell("registered", "pref", drive="D")
    s.tell("retired", "pref", drive="D")
    s.tell("ordered", "pref", drives=("D",), order="O", policy="p", deadline=9, to="bench")
    s.give("pref", "bench", "pref")
    s.take_in("pref", "bench")


def counts_differ(s):
    s.to_the_bench(("D", "E"))
    s.take_in("pref", "bench", ("E",))


def wrong_wwn(s):
    s.to_the_bench()
    s.take_in("pref", "bench", wwns=("6000",))


def at_the_bench(s):
    s.to_the_bench()
    s.take_in("pref", "bench")


def same_party(s):
    at_the_bench(s)
    s.erase()
    s.look()
    s.tell("validated", "bench", drive="D", accepted=True, person=BOB)


def same_person(s):
    at_the_bench(s)
    s.erase(person=ALICE)
    s.look()
    s.tell("validated", "audit", drive="D", accepted=True, person=ALICE)


def not_clean(s):
    at_the_bench(s)
    s.erase()
    s.look("residue")
    s.tell("validated", "audit", drive="D", accepted=True)


def looked_at_before(s):
    at_the_bench(s)
    s.look()
    s.erase()
    s.tell("validated", "audit", drive="D", accepted=True)


def formatted(s):
    at_the_bench(s)
    s.erase(technique="format")


def certificate_first(s):
    at_the_bench(s)
    s.tell("certified", "bench", drives=("D",), certificate=ev.Digest(ALICE))


def twice(s):
    s.tell("registered", "pref", drive="D", wwn="1")
    s.tell("registered", "pref", drive="D", wwn="2")


def after_destruction(s):
    at_the_bench(s)
    s.tell("destroyed", "bench", "audit", drive="D", means="shredder")
    s.tell("sighted", "audit", drive="D", where="an auction")


def alone(s):
    at_the_bench(s)
    s.tell("destroyed", "bench", drive="D", means="shredder")


def back_in_time(s):
    s.tell("registered", "pref", drive="D")
    s.tell("retired", "pref", drive="D", at=5)


def number_twice(s):
    s.to_the_bench()
    s.give("pref", "bench", "pref", "bench", drives=("D", "E"))


def not_the_holder(s):
    s.to_the_bench()
    s.give("pref", "lessor", "pref", "lessor")


BROKEN = {
    one_signature: {"illegal-step", "one-signature"},
    counts_differ: {"count-mismatch"},
    wrong_wwn: {"wrong-wwn"},
    same_party: {"same-person"},
    same_person: {"same-person"},
    not_clean: {"not-proven"},
    looked_at_before: {"not-proven"},
    formatted: {"formatted"},
    certificate_first: {"certificate-before-validation"},
    twice: {"serial-twice", "illegal-step"},
    after_destruction: {"after-destruction"},
    alone: {"one-signature"},
    back_in_time: {"time-goes-back"},
    number_twice: {"number-twice", "not-the-holder", "illegal-step"},
    not_the_holder: {"not-the-holder", "illegal-step"},
}


@pytest.mark.parametrize("tell", BROKEN, ids=lambda one: one.__name__)
def test_each_rule_is_noted_where_it_breaks(tell):
    story = Story()
    tell(story)
    assert set(story.rules) == BROKEN[tell]


@pytest.mark.parametrize("kind", ["registered", "retired", "released", "closed"])
def test_only_an_owner_signs_for_the_owner(kind):
    story = Story()
    story.tell(kind, "bench", drive="D")
    assert "wrong-signer" in story.rules
    story.tell(kind, "thief", drive="D")
    assert "unknown-signer" in story.rules


@pytest.mark.parametrize("signer", ["thief", "bench"])
def test_who_may_not_sign_moves_nothing(signer):
    story = good()
    before = (story.drive.state, story.drive.holder, story.drive.wwn)
    story.tell("released", signer, drive="D")
    story.tell("registered", signer, drive="D", wwn="6000")
    assert (story.drive.state, story.drive.holder, story.drive.wwn) == before
    assert story.drive.open


def test_the_owners_word_closes_a_break_and_nobody_elses_does():
    story = Story()
    same_party(story)
    (broken,) = story.drive.open
    words = {"drive": "D", "rule": broken.rule, "entry": broken.entry, "reason": "one shift"}
    story.tell("explained", "bench", **words)
    assert broken in story.drive.open
    story.tell("explained", "pref", **words)
    assert broken not in story.drive.open
    assert broken in story.drive.breaks


def test_what_did_not_arrive_is_told_once():
    story = Story()
    story.to_the_bench(("D", "E", "F"))
    story.take_in("pref", "bench", ("F", "E"))
    assert story.rules == ["count-mismatch"]
    assert [one.rule for one in story.book.chains["E"].breaks] == ["count-mismatch"]


def test_the_order_of_a_scan_does_not_matter():
    story = Story()
    story.to_the_bench(("D", "E"))
    story.take_in("pref", "bench", ("E", "D"))
    assert story.rules == []


def test_what_formatting_leaves_is_no_erasure():
    story = Story()
    formatted(story)
    assert story.drive.state == "received"
    assert story.drive.outcome is None


@pytest.mark.parametrize("signer", ["thief", "bench", "lessor"])
def test_who_has_no_right_to_it_adds_no_key(signer):
    story = Story()
    key = str(KEYS["thief"].verifier)
    story.tell("key_added", signer, party="thief", role=ev.Role.OWNER, key=key)
    story.tell("registered", "thief", drive="D")
    assert story.rules == ["unknown-signer"]
    assert len(story.book.foreign) == 1


def test_a_party_changes_its_own_key_and_a_revoked_key_signs_no_more():
    story = Story()
    at_the_bench(story)
    new, old = str(KEYS["bench-2"].verifier), str(KEYS["bench"].verifier)
    story.tell("key_added", "bench", party="bench", role=ev.Role.CONTRACTOR, key=new)
    story.tell("key_revoked", "bench-2", key=old, reason="rotated")
    story.erase(by="bench-2")
    assert story.rules == []
    story.erase(by="bench")
    assert story.rules == ["unknown-signer"]


def test_foreign_and_torn_entries_are_told_and_stop_nothing():
    story = good()
    for entry in (b"", b"{}", b"\xff", b'{"payload":"","payloadType":"x","signatures":[]}'):
        story.book.take(story.count, entry)
        story.count += 1
    assert len(story.book.foreign) == 4
    story.tell("released", "pref", drive="D")
    assert story.drive.state == "released"


NOT_YET, LATE = DEADLINE, DEADLINE + 1


def stands(story: Story, now: int = NOT_YET) -> tuple[str, str]:
    (line,) = reconcile(story.book, "O", now).lines
    return line.standing.value, line.owes


def test_whose_turn_it_is_follows_the_drive():
    story = Story()
    story.to_the_bench()
    assert stands(story) == ("open", "bench")
    story.take_in("pref", "bench")
    assert stands(story) == ("open", "bench")
    assert stands(story, LATE) == ("overdue", "bench")
    story.erase()
    story.look()
    assert stands(story) == ("open", "pref")
    story.tell("validated", "audit", drive="D", accepted=True)
    story.tell("disputed", "lessor", drive="D", reason="another label")
    assert stands(story) == ("disputed", "pref")
    entry = story.drive.steps[-1].entry
    story.tell("explained", "pref", drive="D", rule="disputed", entry=entry, reason="relabelled")
    story.tell("released", "pref", drive="D")
    assert stands(story, LATE) == ("matched", "")
    story.tell("sighted", "audit", drive="D", where="an auction")
    assert stands(story) == ("missing", "pref")


def test_an_order_that_nobody_gave_is_none():
    assert reconcile(good().book, "another", NOT_YET) is None
