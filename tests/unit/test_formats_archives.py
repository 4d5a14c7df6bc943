"""Archives that attack, that are locked, that are cut."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
from tests import sevenzip_samples
from tests.format_samples import CSV, archive, noise

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Role, Source
from hakushi.recover import Budget, by_id, identify, reach
from hakushi.recover.cursor import Spent
from hakushi.recover.grammar.stream import HELD, derive, inflate


def opened(data: bytes, budget: Budget | None = None) -> list[Artifact | Damage]:
    source = Memory(data)
    one = identify(source)
    assert one is not None
    return list(one.open(source, budget or Budget()))


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(bytes(16 << 20)),
        bz2.compress(bytes(16 << 20)),
        lzma.compress(bytes(16 << 20)),
        archive(8, members={"bomb": bytes(16 << 20)}),
    ],
    ids=["gzip", "bzip2", "xz", "zip"],
)
def test_a_bomb_meets_the_budget(bomb: bytes) -> None:
    assert len(bomb) < 100_000
    budget = Budget(output=1 << 20)
    with pytest.raises(Spent):
        opened(bomb, budget)
    assert budget.output > -(4 << 20)


def innermost(source: Source, budget: Budget) -> Source:
    one = identify(source)
    if one is None or one.id != "gzip":
        return source
    held = next(iter(one.open(source, budget)))
    assert isinstance(held, Artifact)
    return innermost(reach(source, held.locator, lambda _: held), budget.deeper())


def test_nested_archives_end_at_the_depth() -> None:
    data = CSV.encode()
    for _ in range(12):
        data = gzip.compress(data)
    found = innermost(Memory(data), Budget(depth=12))
    assert found.read(Extent(0, found.size)) == CSV.encode()
    with pytest.raises(Spent):
        innermost(Memory(data), Budget(depth=11))


def test_a_locked_member_is_told_as_encrypted() -> None:
    data = bytearray(archive(0, members={"secret.txt": b"x" * 40, "plain.txt": b"y" * 40}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    found = opened(bytes(data))
    assert [(a.path, a.role) for a in found if isinstance(a, Artifact)] == [
        ("secret.txt", Role.ENCRYPTED),
        ("plain.txt", Role.CONTENT),
    ]


def test_a_cut_archive_gives_what_is_left_and_says_so() -> None:
    whole = archive(8, members={"a": CSV.encode(), "b": noise(9000), "c": b"lost"})
    found = opened(whole[:8000])
    artifacts = [a for a in found if isinstance(a, Artifact)]
    assert [(a.path, a.complete) for a in artifacts] == [("a", True), ("b", False)]
    assert 0 < artifacts[1].size < 9000
    assert sum(isinstance(one, Damage) for one in found) == 2


def test_a_cut_stream_gives_what_is_left_and_says_so() -> None:
    found = opened(gzip.compress(noise(9000))[:5000])
    assert isinstance(found[0], Artifact)
    assert not found[0].complete
    assert 4000 < found[0].size < 5000
    assert isinstance(found[1], Damage)


def test_names_of_japanese_windows_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(zipfile.ZipInfo("XX"), b"x")
    data = out.getvalue().replace(b"XX", "表".encode("cp932"))
    assert [a.path for a in opened(data) if isinstance(a, Artifact)] == ["表"]


def test_members_lie_where_they_are_said_to() -> None:
    data = archive(0)
    for artifact in opened(data):
        assert isinstance(artifact, Artifact)
        assert artifact.runs is not None


def test_a_large_member_is_made_anew_for_each_pass() -> None:
    """Random access into something too large to keep gives the same bytes in any order."""
    import zlib

    block = noise(1 << 16)
    engine = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = b"".join(engine.compress(block) for _ in range(HELD // len(block) + 40))
    packed += engine.flush()
    source = Memory(packed)
    large = derive(lambda: inflate(source, 0).run(Budget()), source.locator)
    assert large.size == (HELD // len(block) + 40) * len(block)
    for at in (0, 5 << 20, 30 << 20, 100, large.size - 10, 29 << 20):
        data = large.read(Extent(at, 100_000))
        wanted = (block * 3)[at % len(block) :][: min(100_000, large.size - at)]
        assert data == wanted


@pytest.mark.parametrize("method", ["lzma2", "lzma", "bzip2", "deflate", "delta"])
def test_files_of_a_solid_archive_come_out(method: str) -> None:
    source = Memory(sevenzip_samples.ARCHIVES[method])
    found = {a.path: a for a in by_id("7z").open(source, Budget()) if isinstance(a, Artifact)}
    assert set(found) == {"名簿/a.csv", "b.txt"}
    first, second = (reach(source, a.locator, lambda _, a=a: a) for a in found.values())
    assert second.read(Extent(0, 1000)) == b"second " * 30
    assert first.read(Extent(0, 4)) == "氏名".encode("cp932")
    assert all(a.complete and a.modified == 1795472269 for a in found.values())


@pytest.mark.parametrize("name", ["aes", "aes headers"])
def test_a_locked_solid_archive_is_told_as_encrypted(name: str) -> None:
    found = opened(sevenzip_samples.ARCHIVES[name])
    assert [a.role for a in found if isinstance(a, Artifact)] == [Role.ENCRYPTED]


def test_every_archive_says_which_of_its_functions_it_has() -> None:
    for id in ("zip", "gzip", "bzip2", "xz", "eml", "ole", "pdf"):
        assert by_id(id).member is not None
