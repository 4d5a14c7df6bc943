"""Pictures: every code of a JPEG is followed, so foreign bytes show."""

from __future__ import annotations

import io
import tracemalloc
from functools import cache

import pytest
from PIL import Image, ImageFilter
from tests.format_samples import jpeg_with_thumbnail, noise, pages, pdf, picture

from hakushi.media import Memory
from hakushi.model import Malformed
from hakushi.recover import Budget, Measure
from hakushi.recover.formats import jpeg, png, tiff
from hakushi.recover.formats import pdf as formats_pdf
from hakushi.recover.grammar import jpeg_scan

KINDS = {
    "baseline": {},
    "optimized": {"optimize": True, "quality": 92},
    "progressive": {"progressive": True},
    "progressive 4:4:4": {"progressive": True, "subsampling": 0, "quality": 95},
    "restarts": {"restart_marker_blocks": 11},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 1},
    "4:2:2": {"subsampling": 1},
}


@cache
def photo(kind: str, mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> bytes:
    image = Image.frombytes("RGB", (400, 300), noise(400 * 300 * 3))
    image = image.filter(ImageFilter.GaussianBlur(1)).resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, "JPEG", **KINDS[kind])
    return out.getvalue()


def measure(data: bytes) -> Measure | None:
    return jpeg.measure(Memory(data), Budget())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(400, 300), (37, 61), (8, 8), (1, 1), (17, 16)])
def test_every_code_of_a_whole_picture_is_sound(
    kind: str, mode: str, size: tuple[int, int]
) -> None:
    data = photo(kind, mode, size)
    found = measure(data + noise(600))
    assert found is not None
    assert (found.length, found.complete) == (len(data), True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "other", [noise(2048), bytes(2048), b"plain words, " * 160, b"\xff\0" * 1024, None]
)
@pytest.mark.parametrize("inserted", [True, False])
def test_bytes_of_another_file_show(kind: str, other: bytes | None, inserted: bool) -> None:
    data = photo(kind)
    middle = len(data) * 3 // 5
    foreign = data[len(data) // 3 :][:2048] if other is None else other
    rest = data[middle:] if inserted else data[middle + len(foreign) :]
    found = measure(data[:middle] + foreign + rest)
    assert found is None or not found.complete


def test_a_break_is_told_where_it_is() -> None:
    data = photo("baseline")
    found = measure(data[:8192] + noise(100_000))
    assert found is not None
    assert found.length == 8192


def test_a_picture_cut_by_the_end_could_go_on() -> None:
    found = measure(photo("baseline")[:8192])
    assert found == Measure(8192, complete=False, more=True)


def test_further_pictures_of_the_index_belong_to_the_file() -> None:
    out = io.BytesIO()
    first = Image.frombytes("RGB", (64, 48), noise(64 * 48 * 3))
    first.save(out, "MPO", save_all=True, append_images=[first.resize((32, 24))])
    found = measure(out.getvalue() + bytes(512))
    assert found == Measure(len(out.getvalue()), complete=True)


def test_a_thumbnail_ends_nothing() -> None:
    data = jpeg_with_thumbnail()
    assert measure(data) == Measure(len(data), complete=True)


def test_a_table_names_each_code() -> None:
    table = jpeg_scan.table(0, bytes([0, 1, 2]) + bytes(13), bytes([3, 0, 5]))
    assert table[0b00 << 14] == (2 + 3) << 8 | 3
    assert table[0b010 << 13] == 3 << 8 | 0
    assert table[0b011 << 13] == (3 + 5) << 8 | 5
    assert table[0b100 << 13] == 0


def test_a_picture_that_claims_to_be_huge_takes_no_room() -> None:
    whole = bytearray(photo("baseline"))
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    tracemalloc.start()
    found = measure(bytes(whole[:-2]))
    goes_on = jpeg.goes_on(Memory(bytes(whole[:-2])), Budget())
    assert goes_on is not None
    assert goes_on(noise(8192)) > 0
    assert found is not None
    assert found.more
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_scan_of_too_many_blocks_is_refused() -> None:
    parts = {n: jpeg_scan.Component(4, 4) for n in (1, 2)}
    frame = jpeg_scan.Frame(64, 64, progressive=False, components=parts)
    with pytest.raises(Malformed):
        jpeg_scan.decode(frame, {}, b"\2\1\0\2\0\0\x3f\0", 0, b"")


def test_a_picture_inside_a_pdf_is_followed_too() -> None:
    photo_ = photo("baseline")
    image = b"<</Type/XObject/Subtype/Image/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (
        len(photo_),
        photo_,
    )
    whole = pdf(fonts=(b"<</Type/Font/Subtype/Type1>>", image))
    at = whole.index(photo_) + 5000
    torn = whole[:at] + noise(2048) + whole[at + 2048 :]
    found = [formats_pdf.measure(Memory(data), Budget()) for data in (whole, torn)]
    assert [f and (f.length, f.complete) for f in found] == [
        (len(whole), True),
        (len(whole), False),
    ]


def test_a_broken_chunk_ends_a_png_before_it() -> None:
    data = bytearray(picture("PNG", (200, 150)))
    data[-100] ^= 1
    found = png.measure(Memory(bytes(data)), Budget())
    assert found is not None
    assert not found.complete
    assert found.length < len(data) - 12


def test_pages_of_a_tiff_all_belong_to_it() -> None:
    data = pages()
    found = tiff.measure(Memory(data + noise(600)), Budget())
    assert found is not None
    assert found.length == len(data)
