"""However its entries come in batches, a log is the same tree, and every object of it is right."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.ledger.audit import audit
from hakushi.ledger.keys import Kind, Signer
from hakushi.ledger.log import Log
from hakushi.ledger.merkle import Frontier, consistency_holds, leaf_hash
from hakushi.ledger.policy import Policy
from hakushi.ledger.receipt import check
from hakushi.ledger.store import Memory
from hakushi.ledger.tiles import Edge, bundle_name, place_of, replaced_by, tile_name, width_at

ED25519 = Signer.new("example.org/log")
ML_DSA = Signer.new("example.org/log", Kind.ML_DSA_44_COSIGNATURE)
POLICY = Policy.of_log(ED25519.verifier)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 300), max_size=5))
def test_batches_make_no_difference(batches):
    store = Memory()
    log = Log.create(store, [ED25519], lambda: 0)
    grown, entries = Edge(), []
    for number, size in enumerate(batches):
        batch = [b"%d.%d" % (number, i) for i in range(size)]
        assert log.extend(batch) == list(range(len(entries), len(entries) + size))
        before, entries = log.view(), [*entries, *batch]
        grown.extend(batch)
        assert before.head.root == Frontier.of(map(leaf_hash, entries)).root == grown.root
        assert before.edge() == grown
    at_once = Edge()
    at_once.extend(entries)
    view = log.view()
    assert at_once.root == view.head.root
    assert list(view.entries()) == entries
    assert audit(store.read, view.note, POLICY).failures == ()
    assert Log(store, [ED25519], lambda: 0).view().edge() == view.edge()


@settings(max_examples=40)
@given(st.integers(1, 700), st.data())
def test_every_entry_is_found_and_proven(size, data):
    log = Log.create(Memory(), [ED25519], lambda: 0)
    entries = [b"%d" % i for i in range(size)]
    log.extend(entries)
    view = log.view()
    index = data.draw(st.integers(0, size - 1))
    since = data.draw(st.integers(0, size))
    assert view.entry(index) == entries[index]
    assert view.find(leaf_hash(entries[index]), since) == (index if index >= since else None)
    assert list(view.entries(since)) == entries[since:]
    assert check(view.receipt(index), POLICY).holds
    if since:
        root = Frontier.of(map(leaf_hash, entries[:since])).root
        assert view.root(since) == root
        assert consistency_holds(since, size, view.consistency(since), root, view.head.root)


def test_over_the_edge_of_the_second_level():
    store = Memory()
    log = Log.create(store, [ED25519], lambda: 0)
    log.extend([b"%d" % i for i in range(65530)])
    for i in range(65530, 65545):
        log.extend([b"%d" % i])
        assert check(log.view().receipt(i), POLICY).holds
    view = log.view()
    assert store.read(tile_name(1, 0)) is not None
    assert store.read(tile_name(2, 0, 1)) is not None
    assert [n for n in store.names("tile/1/") if ".p/" in n] == []
    assert check(view.receipt(0), POLICY).holds
    assert audit(store.read, view.note, POLICY).failures == ()


@given(st.integers(0, 10**12), st.integers(0, 7), st.integers(1, 255))
def test_names_say_where_a_tile_stands(index, level, width):
    for name in (tile_name(level, index), tile_name(level, index, width)):
        assert place_of(name) == (level, index)
    full = [tile_name(level, index), bundle_name(index)]
    parts = [tile_name(level, index, width), bundle_name(index, width)]
    assert list(replaced_by([*full, *parts])) == [p.removesuffix(str(width)) for p in parts]


@given(st.integers(0, 1 << 40), st.integers(0, 4))
def test_tiles_of_a_level_hold_what_the_level_has(size, level):
    last = size >> 8 * (level + 1)
    widths = sum(width_at(level, i, size) for i in (last - 1, last, last + 1) if i >= 0)
    assert widths == (size >> 8 * level) - max(0, last - 1) * 256


def test_a_log_may_sign_with_two_keys():
    log = Log.create(Memory(), [ED25519, ML_DSA], lambda: 1700000000)
    receipt = log.append(b"one")
    for keys in ([ED25519], [ML_DSA], [ED25519, ML_DSA]):
        policy = Policy.of_log(*(key.verifier for key in keys))
        assert check(receipt.trimmed(policy), policy).holds
        assert len(check(receipt.trimmed(policy), policy).signers) == len(keys)
    assert not check(receipt, Policy.of_log(ED25519.verifier)).holds
