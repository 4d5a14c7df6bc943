"""What makes the drives: numbers, files in their real formats, volumes, the oracle, the score."""

from __future__ import annotations

import csv
import email
import email.policy
import gzip
import hashlib
import io
import json
import mailbox
import sqlite3
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from bench.measure import Cost
from bench.peers import Result
from bench.restore import Share, into, score
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.make_images import disks, exfat, files, office, oracle, papers, people
from tools.make_images.oracle import Planted

IMAGES = Path(__file__).resolve().parents[1] / "images"
MANIFEST = json.loads((IMAGES / "manifest.json").read_text("utf-8"))["images"]


@pytest.fixture
def paper() -> papers.Paper:
    rng = Random(1)
    return papers.notice(rng, people.person(rng))


@pytest.fixture
def table() -> papers.Table:
    return papers.table("一覧", people.people(Random(2), 30))


# --- numbers ---


def test_check_digits_are_those_of_published_examples():
    assert people.my_number("12345678901") == "123456789018"
    assert people.corporate_number("000012050002") == "7000012050002"  # the tax agency's own


@given(st.text("0123456789", min_size=11, max_size=11), st.integers(0, 10), st.integers(1, 9))
def test_a_my_number_with_one_digit_changed_is_not_one_or_has_no_check(eleven, at, by):
    changed = eleven[:at] + str((int(eleven[at]) + by) % 10) + eleven[at + 1 :]
    ours, other = people.my_number(eleven), people.my_number(changed)
    # Remainders 0 and 1 share the check digit 0: the one weakness that the rule has.
    assert ours[-1] != other[-1] or ours[-1] == "0"


def test_the_same_seed_draws_the_same_people():
    assert people.people(Random(5), 20) == people.people(Random(5), 20)


# --- papers ---


def test_what_a_notice_plants_is_in_its_text(paper):
    assert paper.planted["person_name"] == paper.text.count(" 様\n") == 1
    assert paper.planted["my_number"] == paper.text.count("個人番号 ")


def test_a_table_plants_one_of_each_kind_a_row(table):
    assert set(table.planted.values()) == {30}
    assert all(len(row) == len(table.header) for row in table.rows)


# --- formats ---


def test_a_pdf_gives_its_lines_back(paper):
    import pypdf

    long = papers.Paper(paper.title, paper.lines * 9)
    pages = pypdf.PdfReader(io.BytesIO(office.pdf(long))).pages
    found = "\n".join(page.extract_text() for page in pages)
    assert len(pages) > 1
    assert [line for line in found.splitlines() if line] == [
        line for line in [long.title, *long.lines] if line
    ]


@pytest.mark.parametrize(
    ("make", "part"),
    [(office.docx, "word/document.xml"), (office.pptx, "ppt/slides/slide1.xml")],
)
def test_an_office_file_is_xml_that_holds_its_lines(make, part, paper):
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(make(paper, b"\xff\xd8\xff\xd9"))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        for name in names:
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))
        text = "".join(etree.fromstring(archive.read(part)).itertext())
    assert text == "".join([paper.title, *paper.lines])
    assert names[0] == "[Content_Types].xml"


def test_a_workbook_gives_its_cells_back(table):
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(office.xlsx(table))) as archive:
        shared = [
            "".join(one.itertext())
            for one in etree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        sheet = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    rows = [[shared[int("".join(cell.itertext()))] for cell in row] for row in sheet[0]]
    assert rows == [list(table.header), *table.rows]


@pytest.mark.parametrize("encoding", files.ENCODINGS)
def test_a_csv_reads_back_in_each_encoding(encoding, table):
    text = files.comma_separated(table, encoding).decode(encoding).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text))) == [list(table.header), *table.rows]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
def test_a_database_opens_and_holds_its_rows(encoding, table, tmp_path):
    path = tmp_path / "base.db"
    path.write_bytes(files.sqlite({"台帳": table}, encoding))
    base = sqlite3.connect(path)
    found = base.execute('SELECT * FROM "台帳"').fetchall()
    base.close()
    assert [list(row) for row in found] == table.rows


def test_a_mail_is_parsed_with_its_attachment(paper):
    rng = Random(3)
    mail = papers.mail(rng, people.person(rng), people.person(rng))
    mail.attachments.append(("通知.docx", office.docx(paper)))
    found = email.message_from_bytes(files.eml(mail), policy=email.policy.default)
    body, attached = found.get_body(), next(found.iter_attachments())
    assert found["Subject"] == mail.subject
    assert body.get_content().replace("\r\n", "\n") == mail.body
    assert attached.get_filename() == "通知.docx"
    assert attached.get_content() == mail.attachments[0][1]


def test_a_mail_box_holds_as_many_mails(tmp_path):
    rng = Random(4)
    mails = [papers.mail(rng, people.person(rng), people.person(rng)) for _ in range(7)]
    path = tmp_path / "box"
    path.write_bytes(files.mbox(mails))
    box = mailbox.mbox(path)
    assert [one["To"] for one in box] == [mail.receiver for mail in mails]
    box.close()


# --- volumes and disks ---

_NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=40)


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["", "総務課/", "a/b/"]), _NAMES),
        st.binary(max_size=20_000),
        max_size=12,
    )
)
def test_what_the_exfat_writer_puts_the_sleuth_kit_reads(tmp_path_factory, planted):
    import pytsk3

    image = tmp_path_factory.mktemp("exfat") / "image"
    image.write_bytes(gzip.decompress((IMAGES / "empty-exfat.img.gz").read_bytes()))
    wanted = {
        f"{folder}資料 {n} {name}.bin": data
        for n, ((folder, name), data) in enumerate(planted.items())
    }
    with exfat.session(image) as volume:
        for path, data in wanted.items():
            volume.put(path, data)
    with exfat.session(image) as volume:
        for path in list(wanted)[::2]:
            volume.remove(path)
    system = pytsk3.FS_Info(pytsk3.Img_Info(str(image)))
    for n, (path, data) in enumerate(wanted.items()):
        entry = system.open("/" + path)
        assert bool(entry.info.name.flags & pytsk3.TSK_FS_NAME_FLAG_UNALLOC) == (n % 2 == 0)
        assert (entry.read_random(0, len(data)) if data else b"") == data


def test_a_guid_partition_table_is_whole_at_both_ends(tmp_path):
    volume, disk = tmp_path / "volume", tmp_path / "disk"
    volume.write_bytes(b"v" * (1 << 20))
    disks.gpt(disk, 4 << 20, [disks.Part("ntfs", volume, 1 << 20)])
    data = disk.read_bytes()
    for at in (512, len(data) - 512):
        header = data[at : at + 92]
        entries = int.from_bytes(header[72:80], "little") * 512
        table = data[entries : entries + 128 * 128]
        assert zlib.crc32(header[:16] + bytes(4) + header[20:]) == int.from_bytes(
            header[16:20], "little"
        )
        assert zlib.crc32(table) == int.from_bytes(header[88:92], "little")
        assert struct.unpack_from("<QQ", table, 32) == (2048, 4095)


_MAGIC = {
    "ntfs": (3, b"NTFS    "),
    "exfat": (3, b"EXFAT   "),
    "fat12": (54, b"FAT12"),
    "fat16": (54, b"FAT16"),
    "fat32": (82, b"FAT32"),
    "ext2": (1080, b"\x53\xef"),
    "ext3": (1080, b"\x53\xef"),
    "ext4": (1080, b"\x53\xef"),
}


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_an_image_is_as_its_manifest_says(name):
    about = MANIFEST[name]
    data = gzip.decompress((IMAGES / name).read_bytes())
    assert len(data) == about["size"]
    for volume in about["volumes"]:
        at, magic = _MAGIC[volume["kind"]]
        assert data.startswith(magic, volume["offset"] + at)
    states = Counter(one["state"] for one in about["files"])
    assert states == about["totals"]["files"]
    assert all(one["still"] for one in about["files"] if one["state"] == "live")
    assert bool(about["files"]) != name.startswith("empty-")


# --- the oracle and the score ---


def test_the_oracle_sees_a_byte_that_changed(tmp_path):
    image = tmp_path / "image"
    image.write_bytes(b"....ab..cd......")
    whole = Planted("a", b"abcd", runs=[(4, 2), (8, 2)])
    changed = Planted("b", b"abce", runs=[(4, 2), (8, 2)])
    oracle.check(image, [whole, changed])
    assert (whole.still, changed.still, whole.fragments) == (True, False, 2)


def _row(data: bytes, **more: object) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    row = {"path": "a", "state": "live", "size": len(data), "sha256": digest, "fragments": 1}
    return {**row, "still": True, **more}


def test_the_score_counts_only_what_is_still_there():
    rows = [_row(b"a"), _row(b"b", state="deleted", fragments=2), _row(b"c", still=False)]
    given_back = {str(rows[0]["sha256"]): ["x/a"], str(rows[1]["sha256"]): ["f001"]}
    claims = Counter({str(rows[0]["sha256"]): 1, "other": 3})
    scored = score(rows, Result(given_back, claims, Cost(0, 1.0, 1.0, 0)))
    assert (scored.live, scored.gone, scored.pieces) == (Share(1, 1), Share(1, 1), Share(1, 1))
    assert (scored.named, scored.precision) == (Share(1, 2), Share(1, 4))


def test_a_table_replaces_its_own_and_no_other():
    page = into(into("# P\n", "a", "one"), "b", "two")
    assert into(page, "a", "three") == page.replace("one", "three")
