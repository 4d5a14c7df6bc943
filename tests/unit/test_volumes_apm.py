"""Apple partition maps: the volumes that they name, and what is no map."""

import io
import struct
import tarfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Role
from hakushi.recover import Budget, Family, identify, walk

OPTICAL = Path(__file__).parents[1] / "images" / "optical.tar.xz"
ROWS = [
    (1, 63, "Apple", "Apple_partition_map"),
    (64, 8, "Macintosh", "Apple_Driver43"),
    (72, 0, "総務".encode("shift_jis").decode("mac_roman"), "Apple_HFS"),
]


def entry(count: int, first: int, blocks: int, name: str, type: str) -> bytes:
    head = b"PM\0\0" + struct.pack(">III", count, first, blocks)
    return (
        head + name.encode("mac_roman").ljust(32, b"\0") + type.encode().ljust(32, b"\0")
    ).ljust(512, b"\0")


def disk(volume: bytes, rows: list[tuple[int, int, str, str]]) -> bytes:
    out = (b"ER" + struct.pack(">HI", 512, 72 + len(volume) // 512)).ljust(512, b"\0")
    for first, blocks, name, type in rows:
        out += entry(len(rows), first, blocks or len(volume) // 512, name, type)
    return out.ljust(72 * 512, b"\0") + volume


def hfs() -> bytes:
    with tarfile.open(OPTICAL) as tar:
        return tar.extractfile("optical/mac.hfs").read()


def found(data: bytes) -> tuple[list[Artifact], list[Damage]]:
    every = list(walk(Memory(data), Budget.of(seconds=30)))
    return (
        [one for one in every if isinstance(one, Artifact)],
        [one for one in every if isinstance(one, Damage)],
    )


def test_the_volume_that_a_map_names_is_walked():
    artifacts, damage = found(disk(hfs(), ROWS))
    assert damage == []
    assert [a.runs[0].at for a in artifacts if a.role is Role.VOLUME] == [72 * 512]
    assert any(str(a.path).endswith("readme.txt") for a in artifacts)
    labels = {a.path for a in artifacts if a.role is Role.LABEL}
    assert ROWS[2][2] in labels
    assert {"Apple", "Macintosh"}.isdisjoint(labels)


def test_a_disc_with_a_map_stays_a_disc():
    with tarfile.open(OPTICAL) as tar:
        data = bytearray(io.BytesIO(tar.extractfile("optical/disc.iso").read()).getvalue())
    data[: 2 * 512] = disk(b"", ROWS[:1])[: 2 * 512]
    one = identify(Memory(bytes(data)), Family.VOLUMES)
    assert one is None or one.id != "apm"


def test_a_partition_past_the_end_is_damage():
    _, damage = found(disk(bytes(512 * 8), [*ROWS[:2], (72, 1 << 30, "x", "Apple_HFS")]))
    assert any("past the medium" in one.what for one in damage)


@given(
    st.lists(st.tuples(st.integers(0, 2047), st.binary(min_size=1, max_size=8)), max_size=12),
    st.integers(512, 80 * 512),
)
def test_torn_maps_are_damage_at_worst(edits, keep):
    data = bytearray(disk(bytes(512 * 8), ROWS))
    for at, value in edits:
        data[at : at + len(value)] = value
    artifacts, _ = found(bytes(data[:keep]))
    for one in artifacts:
        assert all(r.at is None or r.at + r.length <= keep for r in one.runs or ())
