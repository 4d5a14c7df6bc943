"""Text in pictures, read by the real library in its child process."""

import io
from importlib.resources import files

import pytest
from PIL import Image, ImageDraw, ImageFont

from hakushi.app import assess
from hakushi.app.settings import AssessOptions
from hakushi.media import Memory
from hakushi.model import Locator, Malformed
from hakushi.recover import Budget, ocr

NOTICE = (
    "令和6年度 市民税・県民税 納税通知書",
    "氏名 山田 太郎 様",
    "生年月日 昭和45年3月12日",
    "個人番号 1234 5678 9018",
    "電話番号 03-3234-5678",
)


@pytest.fixture(scope="module")
def sheet():
    font = ImageFont.truetype(files("hakushi") / "data" / "fonts" / "BIZUDPGothic-Regular.ttf", 34)
    picture = Image.new("L", (900, 500), 255)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(NOTICE):
        pen.text((60, 40 + number * 84), line, font=font, fill=0)
    return picture.rotate(0.6, fillcolor=255)


def saved(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def pages(data: bytes) -> list[str]:
    source = Memory(data, Locator.root("memory", "picture"))
    return [text.chars for text in ocr.pages(source, Budget.of(seconds=200))]


def read(text: str) -> bool:
    bare = text.replace(" ", "")
    return "山田太郎様" in bare and "123456789018" in bare and "03-3234-5678" in bare


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "WEBP", "GIF"])
def test_a_notice_is_read_in_each_format(sheet, format):
    [text] = pages(saved(sheet, format))
    assert read(text)


def test_every_page_of_a_fax_is_read_and_an_empty_one_says_nothing(sheet):
    fax = sheet.convert("1")
    white = Image.new("1", fax.size, 1)
    more = [white, fax.rotate(180)]
    data = saved(fax, "TIFF", compression="group4", save_all=True, append_images=more)
    first, last = pages(data)
    assert read(first)
    assert read(last)


def test_what_is_left_of_a_cut_picture_is_read(sheet):
    data = saved(sheet, "JPEG")
    [text] = pages(data[: len(data) * 3 // 4])
    assert "山田太郎様" in text.replace(" ", "")


def test_what_does_not_open_is_malformed_and_the_next_one_is_read(sheet):
    for data in (b"\x89PNG\r\n\x1a\n" + bytes(100), b"", b"GIF89a"):
        with pytest.raises(Malformed):
            pages(data)
    huge = b"BM" + bytes(12) + (40).to_bytes(4, "little") + (60_000).to_bytes(4, "little") * 2
    with pytest.raises(Malformed):
        pages(huge + b"\1\0\x18\0" + bytes(4000))
    [text] = pages(saved(sheet, "PNG"))
    assert read(text)


def test_pieces_of_a_line_stand_in_one_line(sheet):
    wide = Image.new("L", (1800, 500), 255)
    wide.paste(sheet, (0, 0))
    wide.paste(sheet, (900, 0))
    [text] = pages(saved(wide, "PNG"))
    assert sum("様" in line for line in text.splitlines()) == 1


@pytest.mark.parametrize("asked", [True, False])
def test_a_scan_tells_of_someone_only_when_pictures_are_read(tmp_path, sheet, asked):
    image = tmp_path / "drive.img"
    image.write_bytes(saved(sheet.convert("RGB"), "PDF") + bytes(8192))
    result = assess.assess_source(
        str(image), AssessOptions(jobs=1, ocr=asked), tmp_path / "drive.case"
    )
    assert result.summary["damage"] == []
    assert ("my_number" in result.summary["findings"]) == asked
    assert any("--ocr" in one for one in result.summary["not_looked_for"]) != asked
