"""Pictures in PDF files come out as files that show the same."""

import io
import zlib

import pytest
from PIL import Image

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Locator
from hakushi.recover import Budget
from hakushi.recover.formats.pdf import PLUGIN


def pattern(mode: str) -> Image.Image:
    """A picture in which every row and column differs from the next."""
    picture = Image.new("RGB", (61, 40))
    picture.putdata([(x * 4, y * 6, (x * y) % 256) for y in range(40) for x in range(61)])
    return picture if mode == "RGB" else picture.convert(mode)


def pdf(*objects: bytes) -> bytes:
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n + 1, o) for n, o in enumerate(objects))
    return b"%PDF-1.7\n" + body + b"trailer\n<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"


def image(entries: bytes, data: bytes) -> bytes:
    head = b"<</Type/XObject/Subtype/Image/Width 61/Height 40%s/Length %d>>" % (entries, len(data))
    return head + b"\nstream\n" + data + b"\nendstream"


def held(data: bytes) -> list[bytes | Damage]:
    source = Memory(data, Locator.root("memory", "pdf"))
    out: list[bytes | Damage] = []
    for one in PLUGIN.open(source, Budget()):
        if isinstance(one, Artifact):
            inner = PLUGIN.member(source, one.locator.last[1])
            assert inner.size == one.size
            out.append(inner.read(Extent(0, inner.size)))
        else:
            out.append(one)
    return out


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_what_pillow_put_into_a_pdf_comes_out(mode):
    sheet = pattern(mode)
    file = io.BytesIO()
    sheet.save(file, "PDF")
    [one] = held(file.getvalue())
    assert shown(one).size == sheet.size
    if mode == "1":
        assert shown(one).convert("1").tobytes() == sheet.tobytes()
    else:
        assert shown(one).format == "JPEG"


@pytest.mark.parametrize(
    ("mode", "space"),
    [("RGB", b"/DeviceRGB"), ("L", b"/DeviceGray"), ("RGB", b"[/ICCBased 2 0 R]")],
)
def test_samples_behind_other_filters_are_a_picture(mode, space):
    sheet = pattern(mode)
    entries = b"/ColorSpace %s/BitsPerComponent 8/Filter/FlateDecode" % space
    file = pdf(
        image(entries, zlib.compress(sheet.tobytes())),
        b"<</N 3/Length 1>>\nstream\nx\nendstream",
    )
    [one] = held(file)
    assert shown(one).convert(mode).tobytes() == sheet.tobytes()


def test_colours_of_a_table_are_looked_up():
    sheet = pattern("RGB").quantize(16)
    table = bytes(sheet.getpalette()[:48])
    entries = b"/ColorSpace[/Indexed/DeviceRGB 15<%s>]/BitsPerComponent 8" % table.hex().encode()
    # TIFF knows tables of 2 to 256 colours, by the bits of a sample.
    [one] = held(pdf(image(entries, sheet.tobytes())))
    assert shown(one).convert("RGB").tobytes() == sheet.convert("RGB").tobytes()


def test_decoration_and_what_is_not_taken_out_are_no_files():
    small = b"<</Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray/Length 64>>"
    assert held(pdf(small + b"\nstream\n" + bytes(64) + b"\nendstream")) == []
    assert held(pdf(image(b"/Filter/JPXDecode", b"\0\0\0\x0cjP  "))) == []
    assert held(pdf(image(b"/ColorSpace/Pattern/BitsPerComponent 8", bytes(2440)))) == []


def test_a_picture_whose_data_do_not_inflate_is_damage():
    entries = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
    [one] = held(pdf(image(entries, b"no deflated bytes")))
    assert isinstance(one, Damage)
