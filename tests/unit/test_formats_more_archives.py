"""tar, RAR and zstd as archivers write them, and what is said of what cannot be unpacked."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests import other_samples as made

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Malformed, Role
from hakushi.recover import Budget, by_id

BOX = {"名簿/東京都の一覧.csv": b"a,b\r\n" * 50, "b.bin": made.noise(900)}


def held(format: str, data: bytes) -> tuple[list[Artifact], list[Damage]]:
    found = list(by_id(format).open(Memory(data), Budget()))
    return (
        [one for one in found if isinstance(one, Artifact)],
        [one for one in found if isinstance(one, Damage)],
    )


@pytest.mark.parametrize("data", [made.rar4(BOX), made.rar5(BOX)])
def test_rar_members_have_their_names_and_sizes(data: bytes) -> None:
    files, damage = held("rar", data)
    assert {one.path: one.size for one in files} == {name: len(d) for name, d in BOX.items()}
    assert all(one.complete for one in files)
    assert not damage


@pytest.mark.parametrize("data", [made.rar4(BOX, method=0x33), made.rar5(BOX, method=3)])
def test_rar_members_that_are_packed_are_named_and_told(data: bytes) -> None:
    files, damage = held("rar", data)
    assert [one.path for one in files] == list(BOX)
    assert not any(one.complete or one.size for one in files)
    assert "2 members" in damage[0].what


@pytest.mark.parametrize("data", [made.rar4(BOX, flags=4), made.rar5(BOX, locked=True)])
def test_rar_members_with_a_password_are_encrypted(data: bytes) -> None:
    files, _ = held("rar", data)
    assert [one.role for one in files] == [Role.ENCRYPTED] * 2


def test_rar_with_its_headers_encrypted() -> None:
    files, _ = held("rar", made.rar4(BOX, main=0x80))
    assert [one.role for one in files] == [Role.ENCRYPTED]


@pytest.mark.skipif(not shutil.which("bsdtar"), reason="bsdtar is missing (libarchive-tools)")
def test_the_rar_samples_are_what_another_reader_takes_for_rar(tmp_path: Path) -> None:
    for data in (made.rar4({"b.bin": BOX["b.bin"]}), made.rar5({"b.bin": BOX["b.bin"]})):
        (tmp_path / "x.rar").write_bytes(data)
        words = ["bsdtar", "xOf", str(tmp_path / "x.rar"), "b.bin"]
        assert subprocess.run(words, capture_output=True, check=True).stdout == BOX["b.bin"]


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_members_have_their_names_and_bytes(format: int) -> None:
    box = {**BOX, "deep/" + "x" * 90 + ".txt": b"x"}
    files, _ = held("tar", made.tar(box, format))
    assert {one.path: one.size for one in files} == {name: len(d) for name, d in box.items()}


def test_a_tar_that_breaks_off_says_so() -> None:
    data = made.tar({"a": made.noise(5000)}, tarfile.USTAR_FORMAT)[:2048]
    found = []
    with pytest.raises(Malformed, match="breaks off"):
        found += by_id("tar").open(Memory(data), Budget())


@pytest.mark.parametrize("encoding", [0, 1])
def test_a_store_gives_what_lies_in_several_blocks_and_the_rest(encoding: int) -> None:
    attached = made.noise(5000)
    data = made.store(encoding=encoding, attached=attached, words="架空 太郎 taro@example.jp")
    files, damage = held("pst", data)
    assert not damage
    member = by_id("pst").member
    assert member is not None
    content = {
        one.kind: member(source := Memory(data), one.locator.last[1]).read(Extent(0, source.size))
        for one in files
    }
    assert content["file"] == attached
    assert "架空 太郎 taro@example.jp".encode("utf-16-le") in content["blocks"]


def test_a_store_that_is_encrypted_further_is_not_passed_over() -> None:
    with pytest.raises(Malformed, match="high encryption"):
        held("pst", made.store(encoding=2))


def test_a_zstd_frame_that_needs_a_dictionary_is_told() -> None:
    data = bytearray(made.zstd(b"x" * 900))
    data[4] |= 1
    files, damage = held("zstd", bytes(data) + b"\0")
    assert damage
    assert not files[0].complete
