"""Pictures in PDF (ISO 32000-2, 8.9) as files of their own: a scan is the text of many documents.

JPEG data are a file already. Fax data and plain samples get the header of a TIFF, whatever lies
behind other filters. JPEG 2000 and JBIG2 are not taken out.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hakushi.recover.grammar.pdf import Document, Stream, Value

SMALLEST = 24
"""Samples of a side below which a picture is decoration."""

_MOST_SAMPLES = 1 << 26
_JPEG = frozenset({"DCTDecode", "DCT"})
_FAX = frozenset({"CCITTFaxDecode", "CCF"})
_OTHER = frozenset({"JPXDecode", "JBIG2Decode"})
_NONE, _GROUP3, _GROUP4 = 1, 3, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_PLAIN = {"DeviceGray": 1, "G": 1, "CalGray": 1, "DeviceRGB": 3, "RGB": 3, "CalRGB": 3}
_PLAIN |= {"DeviceCMYK": 4, "CMYK": 4}
_PHOTOMETRIC = {1: _BLACK_IS_ZERO, 3: _RGB, 4: _CMYK}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a TIFF directory that differ."""

    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    compression: int = _NONE
    options: int = 0
    palette: bytes = b""


def picture(document: Document, stream: Stream) -> bytes | None:
    """The file of an image object; None for what is none, or in a form that is not taken out.

    Raises Malformed where its data do not decode.
    """
    said = stream.dictionary
    if said.get("Subtype") != "Image":
        return None
    width, height = (document.resolve(said.get(k, said.get(k[0]))) for k in ("Width", "Height"))
    if not isinstance(width, int) or not isinstance(height, int):
        return None
    if min(width, height) < SMALLEST or width * height > _MOST_SAMPLES:
        return None
    filters = document.filters(stream)
    last = filters[-1][0] if filters else ""
    if last in _OTHER:
        return None
    if last in _JPEG:
        return document.data(stream, filters[:-1])
    if last in _FAX:
        shape = _fax(width, height, filters[-1][1])
        return _tiff(shape, document.data(stream, filters[:-1]))
    plain = _plain(document, said, width, height)
    return None if plain is None else _tiff(plain, document.data(stream, filters))


def _fax(width: int, height: int, said: dict[str, Value]) -> _Shape:
    k, columns = said.get("K", 0), said.get("Columns", 1728)
    columns = columns if isinstance(columns, int) else width
    photometric = _BLACK_IS_ZERO if said.get("BlackIs1") is True else _WHITE_IS_ZERO
    if isinstance(k, int | float) and k < 0:
        return _Shape(columns, height, 1, 1, photometric, _GROUP4)
    two = isinstance(k, int | float) and k > 0
    return _Shape(columns, height, 1, 1, photometric, _GROUP3, int(two))


def _plain(document: Document, said: dict[str, Value], width: int, height: int) -> _Shape | None:
    """The shape of samples that no picture filter packed; None for colours that are not known."""
    if said.get("ImageMask") is True:
        return _Shape(width, height, 1, 1, _BLACK_IS_ZERO)
    bits = document.resolve(said.get("BitsPerComponent", 8))
    space = document.array(said.get("ColorSpace"))
    name = str(document.resolve(space[0])) if space else ""
    if bits not in (1, 2, 4, 8, 16) or not isinstance(bits, int):
        return None
    if name in ("Indexed", "I") and len(space) == 4:
        return _indexed(document, space, (width, height, bits))
    samples = _samples(document, space)
    if samples is None:
        return None
    return _Shape(width, height, bits, samples, _PHOTOMETRIC[samples])


def _samples(document: Document, space: list[Value]) -> int | None:
    """Samples of a pixel in a colour space."""
    if not space:
        return None
    name = str(document.resolve(space[0]))
    if name == "ICCBased" and len(space) > 1:
        count = document.dictionary(space[1]).get("N")
        return count if isinstance(count, int) and count in _PHOTOMETRIC else None
    return _PLAIN.get(name)


def _indexed(document: Document, space: list[Value], shape: tuple[int, int, int]) -> _Shape | None:
    width, height, bits = shape
    samples = _samples(document, document.array(space[1]))
    table = document.resolve(space[3])
    if isinstance(table, Stream):
        table = document.data(table)
    if samples not in (1, 3) or not isinstance(table, bytes) or bits > 8:
        return None
    colours = [table[i : i + samples] for i in range(0, len(table) - samples + 1, samples)]
    colours = (colours + [bytes(samples)] * (1 << bits))[: 1 << bits]
    palette = b"".join(
        struct.pack("<H", colour[channel % samples] * 257)
        for channel in range(3)
        for colour in colours
    )
    return _Shape(width, height, bits, 1, _PALETTE, palette=palette)


def _tiff(shape: _Shape, data: bytes) -> bytes:
    """One strip behind its directory (TIFF 6.0)."""
    bits = struct.pack(f"<{shape.samples}H", *[shape.bits] * shape.samples)
    fields: list[tuple[int, int, int, bytes]] = [
        (256, 4, 1, struct.pack("<I", shape.width)),
        (257, 4, 1, struct.pack("<I", shape.height)),
        (258, 3, shape.samples, bits),
        (259, 3, 1, struct.pack("<H", shape.compression)),
        (262, 3, 1, struct.pack("<H", shape.photometric)),
        (273, 4, 1, b""),
        (277, 3, 1, struct.pack("<H", shape.samples)),
        (278, 4, 1, struct.pack("<I", shape.height)),
        (279, 4, 1, struct.pack("<I", len(data))),
    ]
    if shape.compression == _GROUP3:
        fields.append((292, 4, 1, struct.pack("<I", shape.options)))
    if shape.palette:
        fields.append((320, 3, len(shape.palette) // 2, shape.palette))
    room = 8 + 2 + 12 * len(fields) + 4
    extra = b""
    start = room + sum(len(value) for *_, value in fields if len(value) > 4)
    entries = []
    for tag, kind, count, value in fields:
        if tag == 273:
            value = struct.pack("<I", start)
        if len(value) > 4:
            value, extra = struct.pack("<I", room + len(extra)), extra + value
        entries.append(struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0"))
    directory = struct.pack("<H", len(fields)) + b"".join(entries) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8) + directory + extra + data
