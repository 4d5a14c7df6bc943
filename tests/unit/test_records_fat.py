"""Old FAT and exFAT directories in raw bytes, on volumes written by hand."""

from __future__ import annotations

import struct

from hakushi.media import Memory
from hakushi.model import Artifact, Extent, Extents, Role, State
from hakushi.recover import Budget, reach
from hakushi.recover.records import HELD, Ground
from hakushi.recover.records import exfat as old_exfat
from hakushi.recover.records import fat as old_fat
from hakushi.recover.records._fat_entries import checksum

CLUSTER = 1024
DATA = 64 * 512
SIZE = 1 << 20
FOLDER, FILE = 0x10, 0x20
WHEN = (12 << 11, 40 << 9 | 5 << 5 | 1)
"""2020-05-01 12:00:00."""
SECONDS = 1588334400


def at(cluster: int) -> int:
    return DATA + (cluster - 2) * CLUSTER


def short(name: bytes, kind: int, cluster: int, size: int = 0) -> bytes:
    return struct.pack("<11sBB7xHHHHI", name, kind, 0, cluster >> 16, *WHEN, cluster & 0xFFFF, size)


def long(name: str, alias: bytes, kind: int, cluster: int, size: int = 0) -> bytes:
    """A file's entries, its long name before the short one."""
    units = name.encode("utf-16-le") + b"\0\0"
    units += b"\xff" * (-len(units) % 26)
    parts = [units[n : n + 26] for n in range(0, len(units), 26)]
    out = b""
    for index in range(len(parts), 0, -1):
        part = parts[index - 1]
        order = index | (0x40 if index == len(parts) else 0)
        head = bytes([order]) + part[:10] + bytes((0x0F, 0, checksum(alias)))
        out += head + part[10:22] + b"\0\0" + part[22:]
    return out + short(alias, kind, cluster, size)


def freed(entries: bytes) -> bytes:
    return b"".join(b"\xe5" + entries[n + 1 : n + 32] for n in range(0, len(entries), 32))


def folder(own: int, parent: int, *entries: bytes) -> bytes:
    dots = short(b".          ", FOLDER, own) + short(b"..         ", FOLDER, parent)
    return (dots + b"".join(entries)).ljust(CLUSTER, b"\0")


def disk(*pieces: tuple[int, bytes]) -> Memory:
    data = bytearray(SIZE)
    for start, piece in pieces:
        data[start : start + len(piece)] = piece
    return Memory(bytes(data))


def read(source: Memory, kind: object = old_fat) -> dict[str, Artifact]:
    """Path -> artifact; signs may stand anywhere."""
    plugin = old_exfat.PLUGIN if kind is old_exfat else old_fat.PLUGIN
    ground = Ground({sign.id: Extents([Extent(0, source.size)]) for sign in plugin.signs})
    found = [a for a in plugin.read(source, ground, Budget()) if isinstance(a, Artifact)]
    known = {one.locator: one for one in found}
    for one in found:
        assert one.state is State.DELETED
        if one.runs:
            reach(source, one.locator, known.__getitem__).read(Extent(0, one.size))
    return {one.path or "": one for one in found}


def content(source: Memory, kind: object, path: str) -> bytes:
    found = read(source, kind)
    known = {one.locator: one for one in found.values()}
    inner = reach(source, found[path].locator, known.__getitem__)
    return inner.read(Extent(0, inner.size))


TEXT = b"name,address\r\n" * 100
TWO = (
    (at(10), folder(10, 0, long("2019年度", b"2019~1     ", FOLDER, 20))),
    (
        at(20),
        folder(
            20,
            10,
            long("名簿 2019.csv", b"MEIBO~1 CSV", FILE, 30, len(TEXT)),
            freed(long("古い.csv", b"FURUI~1 CSV", FILE, 40, 700)),
        ),
    ),
    (at(30), TEXT),
    (at(40), b"old\r\n" * 140),
)


def test_two_folders_tell_where_the_clusters_lie() -> None:
    source = disk(*TWO)
    found = read(source)
    path = "$Orphan/cluster-10/2019年度/名簿 2019.csv"
    assert content(source, old_fat, path) == TEXT
    assert found[path].complete
    assert found[path].modified == SECONDS
    assert found[path].locator.last[1].endswith(HELD)


def test_a_freed_file_keeps_its_long_name_and_is_not_held() -> None:
    one = read(disk(*TWO))["$Orphan/cluster-10/2019年度/古い.csv"]
    assert (one.size, one.complete) == (700, True)
    assert not one.locator.last[1].endswith(HELD)


def test_a_file_goes_on_behind_the_file_that_begins_in_it() -> None:
    entries = (
        long("a.csv", b"A       CSV", FILE, 30, 3 * CLUSTER),
        long("b.csv", b"B       CSV", FILE, 31, 2 * CLUSTER),
    )
    a, b = b"first,\r\n" * 384, b"second\r\n" * 256
    source = disk(
        (at(10), folder(10, 0)),
        (at(20), folder(20, 10, *entries)),
        (at(30), a[:CLUSTER] + b + a[CLUSTER:]),
    )
    assert content(source, old_fat, "$Orphan/cluster-20/a.csv") == a
    assert content(source, old_fat, "$Orphan/cluster-20/b.csv") == b


def test_a_folder_goes_on_in_a_cluster_that_does_not_say_so() -> None:
    many = [long(f"{n:02}.txt", b"%08dTXT" % n, FILE, 100 + n, 9) for n in range(20)]
    whole = folder(20, 10, *many)
    source = disk(
        (at(10), folder(10, 0)),
        (at(20), whole[:CLUSTER]),
        (at(50), whole[CLUSTER:]),
        *((at(100 + n), b"some text") for n in range(20)),
    )
    found = read(source)
    assert all(f"$Orphan/cluster-20/{n:02}.txt" in found for n in range(20))


def test_one_folder_alone_is_residue_and_claims_nothing() -> None:
    found = read(disk(TWO[1]))
    assert {a.role for a in found.values()} == {Role.VOLUME, Role.NAME}
    assert any(path.endswith("名簿 2019.csv") for path in found)


def test_an_empty_folder_is_residue() -> None:
    found = read(disk((at(10), folder(10, 0)))).values()
    assert Role.CONTENT in {a.role for a in found}


def test_zeros_and_a_used_medium_say_nothing() -> None:
    assert not read(disk())
    source = disk(*TWO)
    signs = {sign.id: Extents([Extent(0, SIZE)]) for sign in old_fat.PLUGIN.signs}
    ground = Ground(signs, used=lambda _run: True)
    assert not list(old_fat.PLUGIN.read(source, ground, Budget()))


# --- exFAT ---------------------------------------------------------------------------------


def entry_set(name: str, kind: int, cluster: int, size: int, flags: int = 3) -> bytes:
    units = name.encode("utf-16-le")
    parts = [units[n : n + 30] for n in range(0, len(units), 30)]
    stamp = WHEN[1] << 16 | WHEN[0]
    out = bytearray(
        struct.pack("<BBHHHIII12x", 0x85, 1 + len(parts), 0, kind, 0, stamp, stamp, stamp)
    )
    out += struct.pack("<BBxBHxxQxxxxIQ", 0xC0, flags, len(name), 0, size, cluster, size)
    for part in parts:
        out += b"\xc1\0" + part.ljust(30, b"\0")
    struct.pack_into("<H", out, 2, old_exfat.checksum(out))
    return bytes(out)


def unused(entries: bytes) -> bytes:
    """What freeing a set leaves: each entry's first bit cleared, the checksum as it was."""
    return b"".join(
        bytes([entries[n] & 0x7F]) + entries[n + 1 : n + 32] for n in range(0, len(entries), 32)
    )


SETS = (
    (
        at(10),
        entry_set("2019年度", FOLDER, 20, CLUSTER)
        + entry_set("写し", FOLDER, 25, CLUSTER)
        + entry_set("別", FOLDER, 37, CLUSTER),
    ),
    (
        at(20),
        entry_set("名簿 2019.csv", FILE, 30, len(TEXT))
        + unused(entry_set("古い.csv", FILE, 40, 700)),
    ),
    (at(25), entry_set("写し.csv", FILE, 50, 700, flags=1)),
    (at(37), entry_set("別.csv", FILE, 60, 0, flags=1)),
    (at(30), TEXT),
    (at(40), b"old\r\n" * 140),
    (at(50), b"new\r\n" * 140),
)


def test_exfat_folders_tell_where_the_clusters_lie() -> None:
    source = disk(*SETS)
    found = read(source, old_exfat)
    path = next(p for p in found if p.endswith("2019年度/名簿 2019.csv"))
    assert content(source, old_exfat, path) == TEXT
    assert (found[path].complete, found[path].modified) == (True, SECONDS)


def test_exfat_sets_not_in_use_are_read() -> None:
    source = disk(*SETS)
    path = next(p for p in read(source, old_exfat) if p.endswith("古い.csv"))
    assert content(source, old_exfat, path) == b"old\r\n" * 140


def test_an_exfat_set_whose_checksum_fails_is_none() -> None:
    broken = bytearray(SETS[2][1])
    broken[70] ^= 1
    assert not read(disk((at(25), bytes(broken))), old_exfat)


def test_one_exfat_set_alone_is_residue() -> None:
    found = read(disk(SETS[2]), old_exfat).values()
    assert Role.NAME in {a.role for a in found}
