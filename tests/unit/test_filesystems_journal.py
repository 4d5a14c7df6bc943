"""Names that NTFS journals remember, in a volume that stands and in one that was formatted over."""

import gzip
import struct
from collections import defaultdict
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess.units import grid, harvest
from hakushi.media import Memory, Runs
from hakushi.model import Artifact, Extent, Extents, Locator, Role, Run, State
from hakushi.recover import Budget, records, walk
from hakushi.recover.cursor import Cursor
from hakushi.recover.filesystem.ntfs import boot, layout
from hakushi.recover.filesystem.ntfs_journal import Journals, entries, log, usn

IMAGE = Path(__file__).parents[1] / "images" / "ntfs.img.gz"
TICKS = 132_000_000_000_000_000
WHEN = TICKS // 10**7 - 11_644_473_600
NAMES = st.text(st.characters(codec="utf-16-le", exclude_characters="/\0"), min_size=1, max_size=40)


def usn_record(number: int, parent: int, name: str, *, folder: bool = False) -> bytes:
    """USN_RECORD_V2 (Microsoft, winioctl.h)."""
    raw = name.encode("utf-16-le")
    length = -(-(60 + len(raw)) // 8) * 8
    head = struct.pack(
        "<IHHQQQQIIIIHH", length, 2, 0, 3 << 48 | number, 1 << 48 | parent, 4096, TICKS, 0x200, 0, 0,
        0x10 if folder else 0x20, len(raw), 60,
    )  # fmt: skip
    return (head + raw).ljust(length, b"\0")


def file_name(parent: int, name: str) -> bytes:
    raw = name.encode("utf-16-le")
    times = struct.pack("<QQQQ", *[TICKS] * 4)
    return (
        struct.pack("<Q", 1 << 48 | parent)
        + times
        + bytes(16)
        + struct.pack("<IIBB", 0x20, 0, len(name), 1)
        + raw
    )


def index_entry(number: int, parent: int, name: str) -> bytes:
    key = file_name(parent, name)
    length = -(-(16 + len(key)) // 8) * 8
    return (struct.pack("<QHHI", 3 << 48 | number, length, len(key), 0) + key).ljust(length, b"\0")


def log_page(*some: bytes) -> bytes:
    """A page of $LogFile: its header, records of 64 bytes with an index entry each, fix-ups."""
    body = b"".join(struct.pack("<QQ", 7, 8).ljust(0x58, b"\1") + one for one in some)
    page = bytearray((b"RCRD" + struct.pack("<HH", 0x28, 9)).ljust(64, b"\0") + body)
    page = bytearray(bytes(page).ljust(4096, b"\0"))
    for n in range(8):
        tail = 512 * n + 510
        page[0x2A + 2 * n : 0x2C + 2 * n] = page[tail : tail + 2]
        page[tail : tail + 2] = b"\5\0"
    page[0x28:0x2A] = b"\5\0"
    return bytes(page)


@given(
    st.lists(
        st.tuples(st.integers(24, 1 << 31), st.integers(1, 1 << 31), NAMES, st.booleans()),
        max_size=12,
    )
)
def test_a_page_of_the_usn_journal_gives_back_its_names(rows):
    page = b"".join(usn_record(n, p, name, folder=f) for n, p, name, f in rows)
    found = list(usn(page.ljust(4096, b"\0")))
    assert [(o.number, o.name.parent, o.name.name, o.folder) for o in found] == rows
    assert {o.modified for o in found} <= {WHEN}


@given(st.lists(st.tuples(st.integers(24, 1 << 31), st.integers(1, 1 << 31), NAMES), max_size=6))
def test_a_page_of_the_log_gives_back_the_names_of_its_entries(rows):
    made = [index_entry(*row) for row in rows if len(row[2].encode("utf-16-le")) == 2 * len(row[2])]
    page = log_page(*made)[:4096]
    kept = [r for r in rows if len(r[2].encode("utf-16-le")) == 2 * len(r[2])]
    found = {(o.number, o.name.parent, o.name.name) for o in log(page)}
    assert set(kept) <= found


@given(st.binary(max_size=4096), st.integers(0, 4096))
def test_random_bytes_give_bounded_names(data, start):
    some = [*usn(data), *log(b"RCRD" + data), *entries(data, start)]
    assert len(some) <= 3 * len(data) // 8
    for one in some:
        assert "\0" not in one.name.name and "/" not in one.name.name


def test_the_log_of_a_volume_that_stands_tells_what_is_gone_alone():
    data = bytearray(gzip.decompress(IMAGE.read_bytes()))
    source = Memory(bytes(data))
    living = next(
        a for a in walk(source, Budget()) if isinstance(a, Artifact) and a.kind == "file" and a.runs
    )
    number = int(living.locator.last[1].split("-")[0])
    name = str(living.path).rpartition("/")[2]
    said = layout(source, Budget())
    assert said.log is not None
    place = 0
    page = log_page(index_entry(9000, 5, "督促状2018.xlsx"), index_entry(number, 5, name))
    # mkntfs fills the log with 0xFF; where its third page lies is found by a mark.
    mark = b"this is the third page of the log".ljust(512)
    cluster = boot(Cursor(source)).cluster
    for at in range(0, len(data) - 4096, cluster):
        if data[at : at + 4096] == b"\xff" * 4096:
            torn = bytearray(data)
            torn[at : at + 512] = mark
            again = layout(Memory(bytes(torn)), Budget()).log
            if again.read(Extent(0, again.size)).find(mark) >= 0:
                place = at
                break
    assert place
    data[place : place + 4096] = page
    names = [
        a
        for a in walk(Memory(bytes(data)), Budget())
        if isinstance(a, Artifact) and a.locator.last[1].startswith("journal-")
    ]
    assert [(a.path, a.role, a.state, a.modified) for a in names] == [
        ("督促状2018.xlsx", Role.NAME, State.DELETED, WHEN)
    ]


def test_folders_that_only_the_journal_knows_make_paths():
    page = usn_record(50, 40, "名簿.csv") + usn_record(40, 30, "督促", folder=True)
    page += usn_record(60, 99, "そとの.txt") + usn_record(70, 31, "残る.txt")
    source = Memory(page.ljust(4096, b"\0"))
    journals = Journals(source, Budget())
    root = Locator.root("memory", "x")
    journals.saw(Artifact(root.step("ntfs", "30"), "directory", State.LIVE, 0, (), "収納課"))
    journals.saw(Artifact(root.step("ntfs", "70-128-1"), "file", State.LIVE, 0, (), "残る.txt"))
    runs = (Run(None, 1 << 40), Run(0, 4096))
    journal = "$Extend/$UsnJrnl:$J"
    journals.saw(
        Artifact(root.step("ntfs", "35-128-3"), "file", State.LIVE, (1 << 40) + 4096, runs, journal)
    )
    assert [a.path for a in journals.names()] == [
        "収納課/督促/名簿.csv", "収納課/督促", "$Orphan/99/そとの.txt",
    ]  # fmt: skip


def test_journals_of_a_volume_that_is_gone_are_read_where_they_lie():
    page = usn_record(90, 5, "個人番号一覧.xlsx").ljust(4096, b"\0")
    data = bytes(1 << 20) + page + log_page(index_entry(91, 5, "納税通知書.pdf")) + bytes(1 << 20)
    source, budget = Memory(data), Budget.of(seconds=60)
    signs: dict[str, list[Extent]] = defaultdict(list)
    for extent in grid(source.size):
        for cell in harvest(source, extent).cells.values():
            for at, length, sign in cell.records:
                signs[sign].append(Extent(at, length))
    (kind,) = (one for one in records.registered() if one.id == "ntfs")
    ground = records.Ground({id: Extents(where) for id, where in signs.items()})
    found = [o for o in kind.read(source, ground, budget) if isinstance(o, Artifact)]
    names = {str(o.path) for o in found if o.role is Role.NAME}
    assert names == {"個人番号一覧.xlsx", "納税通知書.pdf"}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 4095), st.binary(min_size=1, max_size=8)), max_size=12))
def test_torn_pages_are_no_bug(edits):
    page = bytearray(
        b"".join(usn_record(50 + n, 50 + n, "循環.csv", folder=True) for n in range(20))
    )
    page = page.ljust(4096, b"\0")
    for at, value in edits:
        page[at : at + len(value)] = value
    source = Memory(bytes(page[:4096]))
    journals = Journals(source, Budget())
    journals.pages.append((Runs(source, (Run(0, 4096),), 4096, source.locator), True))
    # Folders that lie in themselves end, too.
    assert all(isinstance(one, Artifact) for one in journals.names())
