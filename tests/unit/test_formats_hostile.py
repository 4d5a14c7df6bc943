"""Finds of fuzzing, kept: each once raised a bug's error, or took seconds for a few bytes."""

from __future__ import annotations

import struct
import time
import zlib

import pytest
from tests.format_samples import archive, pages, pdf
from tests.ole_samples import SECTOR, message
from tests.other_samples import write_ahead_log

from hakushi.media import Memory
from hakushi.model import Malformed
from hakushi.recover import Budget, Measure, by_id
from hakushi.recover.grammar.cfb import CompoundFile


def measure(format: str, data: bytes) -> Measure | None:
    function = by_id(format).measure
    assert function is not None
    return function(Memory(data), Budget())


@pytest.mark.parametrize("tag", [256, 257, 258, 259, 278])
def test_a_field_without_values(tag: int) -> None:
    data = pages()
    field = struct.pack("<H", tag)
    at = data.index(field, struct.unpack_from("<I", data, 4)[0])
    found = measure("tiff", data[: at + 4] + bytes(4) + data[at + 8 :])
    assert found is None or found.length <= len(data)


def test_a_value_past_the_end_does_not_lengthen_a_picture() -> None:
    data = bytearray(pages())
    second = struct.unpack_from("<I", data, 4)[0] + 2 + 12 * 9
    following = struct.unpack_from("<I", data, second)[0]
    data[following + 8 : following + 12] = b"\xff\xff\xff\x7f"
    found = measure("tiff", bytes(data))
    assert found is not None
    assert found.length <= len(data)


def test_lzma_properties_that_no_decoder_takes() -> None:
    data = archive(14, members={"a": b"x" * 500})
    at = data.index(b"\5\0", 30) + 2
    found = measure("zip", data[:at] + b"\xe0" + data[at + 1 :])
    assert found is not None
    assert not found.complete


def test_an_array_where_a_name_must_stand() -> None:
    data = pdf().replace(b"/Type/Catalog", b"/Type[/Font] ")
    text = by_id("pdf").text
    assert text is not None
    assert list(text(Memory(data), Budget()))


def test_a_chain_that_goes_round_ends() -> None:
    data = bytearray(message())
    fat = (struct.unpack_from("<I", data, 76)[0] + 1) * SECTOR
    directory = struct.unpack_from("<I", data, 48)[0]
    struct.pack_into("<I", data, fat + 4 * directory, directory)
    start = time.perf_counter()
    file = CompoundFile(Memory(bytes(data)), Budget())
    assert len(list(file.chain(directory, 1 << 30))) <= len(file.fat)
    assert time.perf_counter() - start < 1


def test_a_log_of_pages_too_small() -> None:
    data = bytearray(write_ahead_log())
    data[8:12] = b"\0\0\0\x10"
    text = by_id("sqlitewal").text
    assert text is not None
    with pytest.raises(Malformed, match="header"):
        list(text(Memory(bytes(data)), Budget()))


def test_more_files_than_a_header_can_tell_of() -> None:
    header = b"\1\5\xf0\xff\xff\xff\x0f"
    place = struct.pack("<QQI", 0, len(header), zlib.crc32(header))
    data = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(place)) + place + header
    with pytest.raises(Malformed, match="too many"):
        list(by_id("7z").open(Memory(data), Budget()))
