"""Any event at all, for the laws of their encoding."""

from dataclasses import fields
from enum import StrEnum
from typing import get_type_hints

from hypothesis import strategies as st

from hakushi.custody import events as ev

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
SERIAL = st.text("ABCXYZ0189-", min_size=1, max_size=20)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zs", "Zl", "Zp", "Cs")),
    min_size=1,
    max_size=30,
)


def _field(kind: type[ev.Event], name: str) -> st.SearchStrategy:
    wanted = get_type_hints(kind)[name]
    if name == "nonce":
        return st.text("0123456789abcdef", min_size=32, max_size=32)
    if wanted == tuple[str, ...]:
        return st.lists(SERIAL, min_size=1, max_size=5, unique=True).map(tuple)
    if wanted is bool:
        return st.booleans()
    if wanted is int:
        return st.integers(0, (1 << 63) - 1)
    if wanted in (ev.Digest, ev.Commitment):
        return HEX.map(wanted)
    if issubclass(wanted, StrEnum):
        return st.sampled_from(list(wanted))
    return SERIAL if name == "drive" else TEXT


def of(kind: type[ev.Event]) -> st.SearchStrategy[ev.Event]:
    return st.builds(kind, **{f.name: _field(kind, f.name) for f in fields(kind)})


EVENTS = st.one_of(*(of(kind) for kind in ev.EVENTS.values()))
