"""A deleted file's content decides whether it is still its own."""

from __future__ import annotations

import struct
import zlib

import pytest

from hakushi.assess.units import How, _inspect
from hakushi.media import Memory
from hakushi.model import Artifact, Locator, Run, State
from hakushi.recover import Budget

ROOT = Locator.root("image", "x")


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)
TEXT = "氏名,住所\r\n山田太郎,東京都千代田区\r\n".encode("cp932") * 40
NOISE = bytes(range(200, 256)) * 200


def inspected(
    step: str, name: str | None, data: bytes, *, before: bool, of: str = "ntfs"
) -> Artifact:
    source = Memory(data, ROOT.step(of, step))
    runs = (Run(0, len(data)),)
    artifact = Artifact(
        source.locator, "file", State.DELETED, len(data), runs, name, complete=before
    )
    known = next(_inspect(source, artifact, How(b"k" * 32), Budget.of(seconds=20)))
    assert isinstance(known, Artifact)
    return known


def test_what_a_record_held_to_the_end_may_go_on_behind_its_content() -> None:
    data = PNG + bytes(9000) + b"end"
    assert inspected("9-1-used", "a.png", data, before=True).complete
    assert not inspected("9-1-freed", "a.png", data, before=True).complete


@pytest.mark.parametrize(
    ("name", "data", "whole"),
    [
        ("a.png", PNG, True),
        ("a.png", PNG[:-20], False),
        ("a.png", PNG + bytes(300), True),
        ("a.png", PNG + NOISE, False),
        ("a.pdf", PNG, True),
        ("a.pdf", PNG + bytes(300), False),
        ("a.csv", TEXT, True),
        ("a.csv", TEXT + NOISE, False),
        ("a.csv", b"\0\1\2\3" * 500, False),
        ("a.jpg", b"\0\1\2\3" * 500, False),
        ("a.unknown", b"\0\1\2\3" * 500, True),
        (None, b"\0\1\2\3" * 500, True),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_deleted_file_is_whole_where_its_content_is_what_its_name_promises(
    name: str | None, data: bytes, whole: bool, before: bool
) -> None:
    assert inspected("5", name, data, before=before).complete == (whole and before)


@pytest.mark.parametrize("of", ["fatold", "exfatold"])
def test_where_records_do_not_tell_how_files_go_on_unknown_content_is_not_promised(of: str) -> None:
    """A newer file in pieces may have its clusters, and no record says so."""
    data = b"\0\1\2\3" * 500
    assert not inspected("5", "a.unknown", data, before=True, of=of).complete
    assert inspected("5-used", "a.unknown", data, before=True, of=of).complete
    assert inspected("5", "a.csv", TEXT, before=True, of=of).complete
