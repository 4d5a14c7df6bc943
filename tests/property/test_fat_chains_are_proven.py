"""Deleted files of FAT: what is put together is the file's own bytes, whoever was deleted around it."""

import io
import random
import zipfile
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hakushi.media import Memory, Runs
from hakushi.model import Artifact, Extent, Role, Run, State
from hakushi.recover import Budget
from hakushi.recover.filesystem.fat_chains import Volume, rechained
from hakushi.recover.filesystem.fat_high import HALF, is_high, raised

CLUSTER = 1024


@dataclass(frozen=True)
class Geometry:
    cluster: int = CLUSTER
    data: int = 8192
    clusters: int = 2000

    def at(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.cluster


@dataclass
class Disk:
    """A volume that gives a file the next free clusters, and forgets chains when it deletes."""

    geometry: Geometry
    data: bytearray = field(init=False)
    chains: dict[str, list[int]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.data = bytearray(self.geometry.at(self.geometry.clusters + 2))

    def write(self, name: str, content: bytes, start: int = 2) -> None:
        count = -(-len(content) // CLUSTER)
        free = (c for c in range(start, self.geometry.clusters + 2) if c not in self.used)
        chain = [next(free) for _ in range(count)]
        self.used |= set(chain)
        self.chains[name], self.contents[name] = chain, content
        for number, cluster in enumerate(chain):
            part = content[number * CLUSTER : (number + 1) * CLUSTER].ljust(CLUSTER, b"\0")
            at = self.geometry.at(cluster)
            self.data[at : at + CLUSTER] = part

    def delete(self, name: str) -> None:
        self.used -= set(self.chains[name])

    def volume(self) -> Volume:
        return Volume(Memory(bytes(self.data)), self.geometry, self.is_used)

    def is_used(self, run: Run) -> bool:
        first = (run.at - self.geometry.data) // CLUSTER + 2
        return any(first + n in self.used for n in range(-(-run.length // CLUSTER)))

    def entry(self, name: str, first: int | None = None) -> Artifact:
        """What a walk tells of a deleted file: the next free clusters from its first one on."""
        at, left, runs = self.chains[name][0] if first is None else first, 0, []
        size = len(self.contents[name])
        left = -(-size // CLUSTER)
        while left and at < self.geometry.clusters + 2:
            if at not in self.used:
                runs.append(Run(self.geometry.at(at), CLUSTER))
                left -= 1
            at += 1
        place = Memory(b"").locator.step("fat", name)
        whole = len({r.at - n * CLUSTER for n, r in enumerate(runs)}) == 1
        joined = (Run(runs[0].at, len(runs) * CLUSTER),) if whole else tuple(runs)
        return Artifact(place, "file", State.DELETED, size, joined, name)

    def intact(self, name: str) -> bool:
        chain, content = self.chains[name], self.contents[name]
        parts = [bytes(self.data[self.geometry.at(c) : self.geometry.at(c + 1)]) for c in chain]
        return b"".join(parts)[: len(content)] == content


def packed(rng: random.Random, size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", rng.randbytes(max(1, size - 200)))
        archive.writestr("b.txt", "本日の議事録 " * 40)
    return out.getvalue()


def listed(rng: random.Random, size: int) -> bytes:
    lines = (f"{n:05},氏名{rng.randrange(10**6):06},堺市\r\n" for n in range(size // 24 + 1))
    return "".join(lines).encode()[:size]


def aged(seed: int, turns: int) -> Disk:
    rng, disk = random.Random(seed), Disk(Geometry())
    for turn in range(turns):
        make = rng.choice((packed, packed, listed))
        ending = "zip" if make is packed else "csv"
        disk.write(f"{turn:03}.{ending}", make(rng, rng.randrange(700, 40_000)))
        living = [name for name, chain in disk.chains.items() if set(chain) <= disk.used]
        if rng.random() < 0.6 and living:
            disk.delete(rng.choice(living))
    return disk


def content(disk: Disk, one: Artifact) -> bytes:
    source = Memory(bytes(disk.data))
    runs = Runs(source, one.runs, one.size, one.locator)
    return runs.read(Extent(0, one.size))


def deleted(disk: Disk, rng: random.Random) -> list[str]:
    """Deletes half of what lives; every name whose chain is gone."""
    living = sorted(name for name, chain in disk.chains.items() if set(chain) <= disk.used)
    for name in rng.sample(living, len(living) // 2):
        disk.delete(name)
    return sorted(n for n, chain in disk.chains.items() if not set(chain) & disk.used)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 40), turns=st.integers(2, 24))
def test_what_is_put_together_is_the_files_own(seed, turns):
    disk = aged(seed, turns)
    gone = deleted(disk, random.Random(seed))
    told = list(rechained(disk.volume(), [disk.entry(name) for name in gone], Budget()))
    assert [one.path for one in told] == gone
    for one in told:
        name = str(one.path)
        assert one.size <= len(disk.contents[name])
        if name.endswith("zip") and one.complete and len(one.runs) > 1:
            assert content(disk, one) == disk.contents[name], name
        if name.endswith("zip") and disk.intact(name) and one.role is Role.CONTENT:
            mine = {disk.geometry.at(c) for c in disk.chains[name]}
            assert any(run.at in mine for run in one.runs)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 40), pieces=st.integers(2, 7))
def test_a_file_between_deleted_ones_comes_back_in_pieces(seed, pieces):
    """Rows of small files, every other one deleted, a file into the gaps, then all is deleted."""
    rng, disk = random.Random(seed), Disk(Geometry())
    width = rng.randrange(3, 12) * CLUSTER
    for n in range(2 * pieces + 2):
        disk.write(f"row{n:02}.csv", listed(rng, width - rng.randrange(CLUSTER)))
    for n in range(0, 2 * pieces + 2, 2):
        disk.delete(f"row{n:02}.csv")
    disk.write("whole.zip", packed(rng, width * pieces - width // 2))
    assert len({c - n for n, c in enumerate(disk.chains["whole.zip"])}) >= pieces - 1
    for name in list(disk.chains):
        if rng.random() < 0.7 or name == "whole.zip":
            disk.delete(name)
    gone = sorted(n for n, chain in disk.chains.items() if not set(chain) & disk.used)
    told = {str(o.path): o for o in rechained(disk.volume(), map(disk.entry, gone), Budget())}
    one = told["whole.zip"]
    assert one.complete
    assert content(disk, one) == disk.contents["whole.zip"]
    mine = {disk.geometry.at(c) for c in disk.chains["whole.zip"]}
    for name, other in told.items():
        if name != "whole.zip":
            # What it proved to be its own is nobody else's.
            for run in other.runs:
                assert not mine & set(range(run.at, run.at + run.length, CLUSTER)), name


def test_the_table_of_exfat_tells_what_followed():
    disk = Disk(Geometry())
    disk.write("a.csv", b"a" * 3000)
    disk.write("b.csv", b"b" * 3000)
    disk.delete("a.csv")
    disk.write("torn.csv", bytes(range(256)) * 20)
    following = dict(zip(disk.chains["torn.csv"], disk.chains["torn.csv"][1:], strict=False))
    for name in list(disk.chains):
        disk.delete(name)
    volume = disk.volume()
    end = 0xFFFFFFFF
    last = disk.chains["torn.csv"][-1]
    chained = Volume(
        volume.source,
        volume.geometry,
        volume.used,
        lambda c: end if c == last else following.get(c, 0),
    )
    (one,) = rechained(chained, [disk.entry("torn.csv")], Budget())
    assert one.complete
    assert content(disk, one) == disk.contents["torn.csv"]
    # A table that goes in a circle tells nothing.
    circle = Volume(
        volume.source, volume.geometry, volume.used, lambda _c: disk.chains["torn.csv"][0]
    )
    (one,) = rechained(circle, [disk.entry("torn.csv")], Budget())
    assert one.size == len(disk.contents["torn.csv"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 40))
def test_a_first_cluster_without_its_upper_half_is_found_again(seed):
    rng, disk = random.Random(seed), Disk(Geometry(clusters=3 * HALF))
    disk.write("low.csv", listed(rng, 30_000))
    start = HALF * rng.randrange(1, 3) + rng.randrange(2, HALF // 2)
    names = [f"{n}.{'zip' if n % 2 else 'csv'}" for n in range(8)]
    for name in names:
        make = packed if name.endswith("zip") else listed
        disk.write(name, make(rng, rng.randrange(700, 30_000)), start)
    disk.write("stays.csv", listed(rng, 5000), start)
    for name in names:
        disk.delete(name)
    volume = disk.volume()
    living = disk.entry("low.csv")
    assert not is_high(volume, living)
    entries, claimed = [], {}
    for name in names:
        seen = disk.entry(name, disk.chains[name][0] % HALF)
        entries.append(seen)
        claimed[seen.locator] = len(disk.contents[name])
    told = {str(one.path): one for one in raised(volume, entries, claimed, Budget())}
    for name in names:
        assert content(disk, told[name]) == disk.contents[name], name


def test_where_one_still_has_its_upper_half_nothing_is_moved():
    disk = Disk(Geometry(clusters=2 * HALF))
    disk.write("a.zip", packed(random.Random(1), 5000), HALF + 100)
    disk.delete("a.zip")
    entries = [disk.entry("a.zip")]
    assert raised(disk.volume(), entries, {}, Budget()) == entries
