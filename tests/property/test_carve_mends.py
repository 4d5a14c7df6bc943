"""Files in pieces come together where their format can tell; nothing else is called whole."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.carving import carved, content
from tests.format_samples import CSV, archive, noise, picture

CLUSTER = 4096


@cache
def files() -> dict[str, bytes]:
    return {
        "jpeg": picture("JPEG", (200, 150)),
        "progressive": picture("JPEG", (200, 150), progressive=True),
        "png": picture("PNG", (100, 80)),
        "zip": archive(
            8, members={"a": noise(9000, 1), "b": CSV.encode() * 3, "c": noise(12000, 2)}
        ),
        "stored": archive(0, members={"a": noise(9000, 3), "b": noise(14000, 4)}),
    }


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % CLUSTER)


def pieces(data: bytes, cut: int) -> tuple[bytes, bytes]:
    return data[:cut], padded(data[cut:])


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(files())),
    share=st.floats(0.15, 0.85),
    gap=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_two_pieces_with_strange_bytes_between_come_together(
    name: str, share: float, gap: int, seed: int
) -> None:
    whole = files()[name]
    cut = max(1, int(share * len(whole)) // CLUSTER) * CLUSTER
    first, second = pieces(whole, cut)
    data = noise(CLUSTER, seed) + first + noise(gap * CLUSTER, seed + 1) + second
    found = [a for offset, a in carved(data) if offset == CLUSTER and a.complete]
    assert [content(data, a) for a in found] == [whole]


@settings(max_examples=15, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(files())), min_size=2, max_size=2, unique=True),
    seed=st.integers(0, 99),
)
def test_two_files_written_in_turns_come_apart(names: list[str], seed: int) -> None:
    one, other = (files()[name] for name in names)
    a = pieces(one, len(one) // 2 // CLUSTER * CLUSTER)
    b = pieces(other, len(other) // 2 // CLUSTER * CLUSTER)
    data = a[0] + b[0] + a[1] + b[1] + noise(CLUSTER, seed)
    whole = {content(data, artifact) for _, artifact in carved(data) if artifact.complete}
    assert whole <= {one, other}
    assert one in whole


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(sorted(files())), share=st.floats(0.2, 0.8), seed=st.integers(0, 99))
def test_a_file_whose_rest_is_gone_is_never_called_whole(
    name: str, share: float, seed: int
) -> None:
    whole = files()[name]
    cut = max(1, int(share * len(whole)) // CLUSTER) * CLUSTER
    data = whole[:cut] + noise(24 * CLUSTER, seed) + padded(files()["png"])
    for offset, artifact in carved(data):
        assert offset or not artifact.complete


@settings(max_examples=10, deadline=None)
@given(name=st.sampled_from(["jpeg", "zip"]), seed=st.integers(0, 99))
def test_a_small_piece_in_the_middle_is_believed_with_checksums_alone(name: str, seed: int) -> None:
    """Another cluster may decode in its place by chance: what has no sums is listed, not promised."""
    whole = files()[name]
    parts = [whole[:CLUSTER], whole[CLUSTER : 2 * CLUSTER], padded(whole[2 * CLUSTER :])]
    assert len(whole) > 3 * CLUSTER
    text = (CSV.encode() * 20)[: 2 * CLUSTER]
    assert len(text) == 2 * CLUSTER
    data = noise(CLUSTER, seed) + b"".join(part + text for part in parts)
    found = [a for offset, a in carved(data) if offset == CLUSTER]
    assert [a.complete for a in found] == [name == "zip"]
    assert [content(data, a) for a in found] == [whole]
