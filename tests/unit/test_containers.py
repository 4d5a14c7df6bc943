"""Disk images as QEMU makes them, read back to the byte; and torn, foreign and hostile ones."""

import os
import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hakushi.assess.medium import open_medium
from hakushi.cli.main import main
from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Malformed, Refused, Source, Unreadable
from hakushi.recover import Budget, by_id, identify

SIZE = 5 << 20
MADE = {
    "qcow2": ("-O", "qcow2"),
    "qcow2 version 2": ("-O", "qcow2", "-o", "compat=0.10"),
    "qcow2 small clusters": ("-O", "qcow2", "-o", "cluster_size=512"),
    "qcow2 compressed": ("-O", "qcow2", "-c"),
    "qcow2 zstd": ("-O", "qcow2", "-c", "-o", "compression_type=zstd"),
    "vmdk": ("-O", "vmdk"),
    "vmdk stream": ("-O", "vmdk", "-o", "subformat=streamOptimized"),
    "vmdk flat": ("-O", "vmdk", "-o", "subformat=monolithicFlat"),
    "vmdk split": ("-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"),
    "vmdk split flat": ("-O", "vmdk", "-o", "subformat=twoGbMaxExtentFlat"),
    "vhd": ("-O", "vpc", "-o", "force_size=on"),
    "vhd fixed": ("-O", "vpc", "-o", "subformat=fixed,force_size=on"),
    "vhdx": ("-O", "vhdx"),
    "vhdx fixed": ("-O", "vhdx", "-o", "subformat=fixed"),
}


def qemu(*words: str | Path) -> None:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    subprocess.run(["qemu-img", *words], check=True, capture_output=True)


def content() -> bytes:
    """Noise, text, zeros, and zeros within a block."""
    text = ("架空 太郎,03-0000-0001\r\n".encode("cp932") * 60_000)[: 1 << 20]
    data = bytearray(SIZE)
    data[: 1 << 20] = os.urandom(1 << 20)
    data[2 << 20 : 3 << 20] = text
    data[(4 << 20) + 12_345 : (4 << 20) + 20_000] = b"x" * 7_655
    return bytes(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, bytes]]:
    folder = tmp_path_factory.mktemp("images")
    data = content()
    (folder / "raw").write_bytes(data)
    out = {}
    for number, (name, words) in enumerate(MADE.items()):
        (folder / str(number)).mkdir()
        path = folder / str(number) / "image"
        qemu("convert", "-f", "raw", *words, folder / "raw", path)
        out[name] = (path, data)
    return out


def whole(source: Source) -> bytes:
    return b"".join(source.read(Extent(at, 1 << 18)) for at in range(0, source.size, 1 << 18))


@pytest.mark.parametrize("name", MADE)
def test_what_qemu_wrote_is_read_back(made, name):
    path, data = made[name]
    medium = open_medium(str(path))
    assert medium.root.format == name.split()[0]
    assert medium.damage == ()
    assert medium.source.size == SIZE
    assert whole(medium.source) == data


@pytest.mark.parametrize("name", MADE)
def test_any_piece_from_any_thread(made, name):
    path, data = made[name]
    source = open_medium(str(path)).source
    pieces = [Extent(at, 70_001) for at in range(0, SIZE + 70_000, 69_999)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(source.read, pieces))
    assert found == [data[one.offset : one.end] for one in pieces]


def test_an_image_in_an_image_is_entered(made, tmp_path):
    inner, data = made["qcow2"]
    qemu("convert", "-f", "raw", "-O", "vhdx", inner, tmp_path / "outer")
    outer = open_medium(str(tmp_path / "outer")).source
    one = identify(outer)
    assert one is not None
    assert one.id == "qcow2"
    (found,) = one.open(outer, Budget.of())
    assert isinstance(found, Artifact)
    assert one.member is not None
    assert whole(one.member(outer, found.locator.last[1])) == data


@pytest.mark.parametrize(("kind", "words"), [("qcow2", ()), ("vpc", ()), ("vmdk", ())])
def test_differences_alone_are_refused_with_what_to_do(tmp_path, made, kind, words, capsys):
    if kind == "vpc":
        base, _ = made["vhd"]
        data = bytearray(base.read_bytes())
        # Turn it into a differencing one: the type in both footers, and their sums.
        for at in (0, len(data) - 512):
            data[at + 63] = 4
            data[at + 64 : at + 68] = bytes(4)
            total = ~sum(data[at : at + 512]) & 0xFFFFFFFF
            data[at + 64 : at + 68] = struct.pack(">I", total)
        (tmp_path / "over").write_bytes(data)
    else:
        base, _ = made[kind]
        qemu("create", "-f", kind, "-b", base, "-F", kind, *words, tmp_path / "over")
    with pytest.raises(Refused, match="only the differences"):
        open_medium(str(tmp_path / "over"))
    assert main(["--lang", "en", "assess", str(tmp_path / "over")]) == 5
    assert "qemu-img" in capsys.readouterr().err


def test_a_torn_image_is_assessed_as_its_raw_bytes(made, tmp_path):
    path, _ = made["vhdx"]
    data = bytearray(path.read_bytes())
    for at in (0x30000, 0x40000):
        data[at : at + 4] = bytes(4)
    (tmp_path / "torn").write_bytes(data)
    medium = open_medium(str(tmp_path / "torn"))
    assert medium.root.format == "raw"
    assert medium.source.size == len(data)
    assert "region tables" in medium.damage[0]


def test_a_truncated_image_gives_what_is_there(made, tmp_path):
    path, data = made["qcow2"]
    torn = path.read_bytes()
    (tmp_path / "torn").write_bytes(torn[: len(torn) - (1 << 20)])
    source = open_medium(str(tmp_path / "torn")).source
    assert source.size == SIZE
    good = lost = 0
    for at in range(0, SIZE, 65536):
        try:
            assert source.read(Extent(at, 65536)) == data[at : at + 65536]
            good += 1
        except Unreadable:
            lost += 1
    assert good
    assert lost


def test_a_part_that_is_missing_is_damage(made, tmp_path):
    path, _ = made["vmdk flat"]
    shutil.copy(path, tmp_path / "image")
    medium = open_medium(str(tmp_path / "image"))
    assert medium.source.size == SIZE
    assert "image-flat" in medium.damage[0]
    with pytest.raises(Unreadable):
        medium.source.read(Extent(0, 512))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/b", "a\\b"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / "secret").write_bytes(b"secret" * 1000)
    (tmp_path / "in").mkdir()
    text = f'# Disk DescriptorFile\nparentCID=ffffffff\nRW 8 FLAT "{name}" 0\n'
    (tmp_path / "in" / "image.vmdk").write_text(text)
    medium = open_medium(str(tmp_path / "in" / "image.vmdk"))
    assert medium.root.format == "raw"
    assert medium.damage


# --- hostile bytes ----------------------------------------------------------------------------


def small(kind: str, tmp: Path) -> bytes:
    (tmp / "raw").write_bytes(b"abc" * 40_000)
    qemu("convert", "-f", "raw", "-O", kind, tmp / "raw", tmp / "image")
    return (tmp / "image").read_bytes()


@pytest.fixture(scope="module", params=["qcow2", "vmdk", "vpc", "vhdx"])
def victim(request, tmp_path_factory) -> tuple[str, bytes]:
    data = small(request.param, tmp_path_factory.mktemp("victim"))
    return {"vpc": "vhd"}.get(request.param, request.param), data


VALUES = st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\0" * 7 + b"\1"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 700) | st.integers(0x10000, 0x10100) | st.integers(0x20000, 0x40200),
            VALUES | st.binary(min_size=1, max_size=8),
        ),
        min_size=1,
        max_size=6,
    ),
    keep=st.floats(0, 1) | st.just(1.0),
)
def test_half_right_images_end_in_a_word(victim, edits, keep):
    """Tables past the end, that lead to themselves, sizes without bound: never more than a word."""
    id, good = victim
    data = bytearray(good)
    for at, value in edits:
        if at + len(value) <= len(data):
            data[at : at + len(value)] = value
    source, one = Memory(bytes(data[: int(keep * len(data))])), by_id(id)
    assert one.member is not None
    try:
        if not one.probe(source):
            return
        found = list(one.open(source, Budget.of(seconds=20)))
        medium = one.member(source, "0")
    except Malformed:
        return
    assert found
    for at in {0, 65536, max(0, medium.size - 5000), medium.size // 2}:
        try:
            assert len(medium.read(Extent(at, 9000))) == max(0, min(9000, medium.size - at))
        except Unreadable:
            continue


def test_an_image_that_claims_more_than_any_drive_is_read_as_its_own_bytes(tmp_path: Path) -> None:
    image = tmp_path / "huge.qcow2"
    qemu("create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", image, "4P")
    medium = open_medium(str(image))
    assert medium.root.format == "raw"
    assert medium.source.size == image.stat().st_size
    assert "claims to hold" in medium.damage[0]
