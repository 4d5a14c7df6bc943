"""Office Open XML and PDF by hand: the smallest files that office programs open."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from .papers import Paper, Table

WHEN = (2018, 5, 1, 10, 0, 0)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument"


def zipped(members: Mapping[str, bytes], compress: bool = True) -> bytes:
    """A ZIP archive with fixed times; names that are not ASCII carry the UTF-8 flag."""
    out = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = how
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return out.getvalue()


def _package(
    parts: Mapping[str, str | bytes],
    types: Mapping[str, str],
    rels: Mapping[str, Sequence[tuple[str, str]]],
) -> bytes:
    """An OPC package: its parts, their content types, and relationships by source part."""
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items()
    )
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="jpeg" ContentType="image/jpeg"/>'
        f"{overrides}</Types>"
    }
    for source, targets in rels.items():
        folder, _, name = source.rpartition("/")
        where = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
        links = "".join(
            f'<Relationship Id="rId{n}" Type="{_DOC}/{kind}" Target="{target}"/>'
            for n, (kind, target) in enumerate(targets, 1)
        )
        members[where] = f'{_HEAD}<Relationships xmlns="{_RELS}">{links}</Relationships>'
    members.update(parts)
    return zipped({k: v.encode() if isinstance(v, str) else v for k, v in members.items()})


def docx(paper: Paper, picture: bytes = b"") -> bytes:
    """A document of plain paragraphs; a picture, if given, is kept as a media part."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'
        for line in [paper.title, *paper.lines]
    )
    parts: dict[str, str | bytes] = {
        "word/document.xml": f'{_HEAD}<w:document xmlns:w="{word}"><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'
    }
    rels = {"": [("officeDocument", "word/document.xml")]}
    if picture:
        parts["word/media/image1.jpeg"] = picture
        rels["word/document.xml"] = [("image", "media/image1.jpeg")]
    return _package(
        parts, {"word/document.xml": f"{_MAIN}.wordprocessingml.document.main+xml"}, rels
    )


def _column(index: int) -> str:
    return chr(65 + index)


def xlsx(table: Table) -> bytes:
    """A workbook of one sheet; its strings are shared, as Excel writes them."""
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings: dict[str, int] = {}
    rows = []
    for number, row in enumerate([list(table.header), *table.rows], 1):
        cells = "".join(
            f'<c r="{_column(at)}{number}" t="s">'
            f"<v>{strings.setdefault(cell, len(strings))}</v></c>"
            for at, cell in enumerate(row)
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts = {
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{sheet}" xmlns:r="{_DOC}"><sheets>'
        f'<sheet name="{escape(table.title)[:31]}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'{_HEAD}<worksheet xmlns="{sheet}"><sheetData>'
        f"{''.join(rows)}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f'{_HEAD}<sst xmlns="{sheet}" uniqueCount="{len(strings)}">'
        f"{shared}</sst>",
    }
    kind = f"{_MAIN}.spreadsheetml"
    return _package(
        parts,
        {
            "xl/workbook.xml": f"{kind}.sheet.main+xml",
            "xl/worksheets/sheet1.xml": f"{kind}.worksheet+xml",
            "xl/sharedStrings.xml": f"{kind}.sharedStrings+xml",
        },
        {
            "": [("officeDocument", "xl/workbook.xml")],
            "xl/workbook.xml": [
                ("worksheet", "worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
            ],
        },
    )


_SHAPE = (
    '<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>'
    '<a:xfrm><a:off x="500000" y="500000"/><a:ext cx="8000000" cy="5000000"/></a:xfrm>'
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr>'
    "<p:txBody><a:bodyPr/>{}</p:txBody></p:sp>"
)
_TREE = (
    '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/>'
    "</p:nvGrpSpPr><p:grpSpPr/>{}</p:spTree></p:cSld>"
)
_MAP = (
    '<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" '
    'accent3="accent3" accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" '
    'folHlink="folHlink"/>'
)


def _theme(drawing: str) -> str:
    names = ("dk1", "lt1", "dk2", "lt2", *(f"accent{n}" for n in range(1, 7)), "hlink", "folHlink")
    colours = "".join(f'<a:{name}><a:srgbClr val="4F81BD"/></a:{name}>' for name in names)
    face = '<a:latin typeface="Arial"/><a:ea typeface=""/><a:cs typeface=""/>'
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>' * 3
    line = '<a:ln><a:solidFill><a:schemeClr val="phClr"/></a:solidFill></a:ln>' * 3
    effect = "<a:effectStyle><a:effectLst/></a:effectStyle>" * 3
    return (
        f'{_HEAD}<a:theme xmlns:a="{drawing}" name="t"><a:themeElements>'
        f'<a:clrScheme name="t">{colours}</a:clrScheme><a:fontScheme name="t"><a:majorFont>{face}'
        f"</a:majorFont><a:minorFont>{face}</a:minorFont></a:fontScheme>"
        f'<a:fmtScheme name="t"><a:fillStyleLst>{fill}</a:fillStyleLst><a:lnStyleLst>{line}'
        f"</a:lnStyleLst><a:effectStyleLst>{effect}</a:effectStyleLst><a:bgFillStyleLst>{fill}"
        "</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
    )


def _slides(space: str, lines: str) -> dict[str, str | bytes]:
    """The parts of a presentation of one slide, but its theme."""
    return {
        "ppt/presentation.xml": f"{_HEAD}<p:presentation {space}><p:sldMasterIdLst>"
        '<p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst><p:sldIdLst>'
        '<p:sldId id="256" r:id="rId2"/></p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/>'
        '<p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
        "ppt/slides/slide1.xml": f"{_HEAD}<p:sld {space}>"
        f"{_TREE.format(_SHAPE.format(lines))}</p:sld>",
        "ppt/slideLayouts/slideLayout1.xml": f'{_HEAD}<p:sldLayout {space} type="blank">'
        f"{_TREE.format('')}</p:sldLayout>",
        "ppt/slideMasters/slideMaster1.xml": f"{_HEAD}<p:sldMaster {space}>{_TREE.format('')}{_MAP}"
        '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst>'
        "</p:sldMaster>",
    }


def pptx(paper: Paper, picture: bytes = b"") -> bytes:
    """A presentation of one slide with the paper's lines."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    space = (
        f'xmlns:a="{drawing}" xmlns:r="{_DOC}" '
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    )
    lines = "".join(
        f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in [paper.title, *paper.lines]
    )
    parts = _slides(space, lines)
    parts["ppt/theme/theme1.xml"] = _theme(drawing)
    layout, master = "slideLayouts/slideLayout1.xml", "slideMasters/slideMaster1.xml"
    rels = {
        "": [("officeDocument", "ppt/presentation.xml")],
        "ppt/presentation.xml": [("slideMaster", master), ("slide", "slides/slide1.xml")],
        "ppt/slides/slide1.xml": [("slideLayout", f"../{layout}")],
        f"ppt/{layout}": [("slideMaster", f"../{master}")],
        f"ppt/{master}": [("slideLayout", f"../{layout}"), ("theme", "../theme/theme1.xml")],
    }
    if picture:
        parts["ppt/media/image1.jpeg"] = picture
        rels["ppt/slides/slide1.xml"].append(("image", "../media/image1.jpeg"))
    kind = f"{_MAIN}.presentationml"
    types = {
        "ppt/presentation.xml": f"{kind}.presentation.main+xml",
        "ppt/slides/slide1.xml": f"{kind}.slide+xml",
        f"ppt/{layout}": f"{kind}.slideLayout+xml",
        f"ppt/{master}": f"{kind}.slideMaster+xml",
        "ppt/theme/theme1.xml": f"{_MAIN}.theme+xml",
    }
    return _package(parts, types, rels)


# --- PDF ---------------------------------------------------------------------------------


def _stream(data: bytes, entries: str = "/Filter /FlateDecode", deflate: bool = True) -> bytes:
    packed = zlib.compress(data) if deflate else data
    return f"<< {entries} /Length {len(packed)} >>\nstream\n".encode() + packed + b"\nendstream"


def _to_unicode(text: str) -> bytes:
    """The map from codes to characters; codes are UTF-16BE, so each maps to itself."""
    codes = sorted({char.encode("utf-16-be").hex() for char in text if char != "\n"})
    blocks = []
    for at in range(0, len(codes), 100):
        some = codes[at : at + 100]
        lines = "".join(f"<{code}> <{code}>\n" for code in some)
        blocks.append(f"{len(some)} beginbfchar\n{lines}endbfchar\n")
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CMapName /UTF16 def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\n"
        f"endcodespacerange\n{''.join(blocks)}endcmap\nend\nend\n"
    ).encode()


def _content(lines: Sequence[str], picture: bool) -> bytes:
    shown = "".join(f"<{line.encode('utf-16-be').hex()}> Tj T*\n" for line in lines)
    image = "q 200 0 0 150 350 40 cm /I1 Do Q\n" if picture else ""
    return f"{image}BT /F1 11 Tf 16 TL 60 780 Td\n{shown}ET\n".encode()


def _assemble(objects: Sequence[bytes]) -> bytes:
    """Numbered objects, their cross-reference table and the trailer; object 1 is the catalogue."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    return bytes(out)


_FONT = (
    (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UTF16-H "
        b"/DescendantFonts [4 0 R] /ToUnicode 6 0 R >>"
    ),
    (
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /DW 1000 "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 5 >> "
        b"/FontDescriptor 5 0 R >>"
    ),
    (
        b"<< /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /Ascent 752 /Descent -221 "
        b"/FontBBox [-92 -250 1010 922] /ItalicAngle 0 /CapHeight 737 /StemV 114 >>"
    ),
)
"""Objects 3 to 5 of every PDF here."""


def pdf(paper: Paper, picture: tuple[bytes, int, int] | None = None) -> bytes:
    """A PDF with real Japanese text: Type0 font, UniJIS-UTF16-H codes, a ToUnicode map.

    ``picture``: a JPEG with its width and height, kept as it is (DCTDecode).
    """
    lines = [paper.title, *paper.lines]
    pages = [lines[at : at + 45] for at in range(0, len(lines), 45)]
    first = 7 if picture else 6
    kids = " ".join(f"{first + 2 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        *_FONT,
        _stream(_to_unicode("".join(lines))),
    ]
    images = ""
    if picture:
        data, width, height = picture
        images = " /XObject << /I1 7 0 R >>"
        objects.append(
            _stream(
                data,
                f"/Type /XObject /Subtype /Image /Width {width} /Height {height} "
                "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode",
                deflate=False,
            )
        )
    for number, page in enumerate(pages):
        objects.append(_stream(_content(page, picture is not None and number == 0)))
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
            f"/Resources << /Font << /F1 3 0 R >>{images} >> >>".encode()
        )
    return _assemble(objects)
