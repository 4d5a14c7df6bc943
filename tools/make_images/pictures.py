"""Scans and photographs: pictures that Pillow writes, the same bytes for the same seed."""

from __future__ import annotations

import functools
import io
from random import Random
from typing import Any

from .papers import Paper

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        raise SystemExit(
            f"make_images: there is no {FONT}; install the Debian package fonts-noto-cjk"
        ) from None


def _encode(picture: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _page(paper: Paper, width: int, rng: Random) -> Any:
    """The paper as a grey scan: text on a page, a little grain, as a scanner leaves it."""
    from PIL import Image, ImageDraw

    height = width * 297 // 210
    page = Image.new("L", (width, height), 250)
    draw = ImageDraw.Draw(page)
    step = width // 24
    for row, line in enumerate([paper.title, "", *paper.lines][: height // step - 3]):
        draw.text((step, step * (row + 1)), line, fill=20, font=_font(step * 2 // 3))
    grain = Image.frombytes("L", (64, 64), rng.randbytes(64 * 64)).resize((width, height))
    return Image.blend(page, grain, 0.04)


def scan_jpeg(paper: Paper, rng: Random, width: int = 620, quality: int = 40) -> bytes:
    return _encode(_page(paper, width, rng), "JPEG", quality=quality)


def scan_png(paper: Paper, rng: Random, width: int = 620) -> bytes:
    return _encode(_page(paper, width, rng).convert("1", dither=0), "PNG", optimize=True)


def scan_tiff(paper: Paper, rng: Random, width: int = 620) -> bytes:
    """Two pages, LZW, as a fax server stores them."""
    pages = [_page(paper, width, rng).convert("1", dither=0) for _ in range(2)]
    return _encode(pages[0], "TIFF", compression="tiff_lzw", save_all=True, append_images=pages[1:])


def _scene(rng: Random, width: int, height: int) -> Any:
    """A photograph of nothing: soft patches of colour with fine grain over them."""
    from PIL import Image

    soft = Image.frombytes("RGB", (12, 9), rng.randbytes(12 * 9 * 3)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = Image.frombytes(
        "RGB", (width // 2, height // 2), rng.randbytes(width // 2 * (height // 2) * 3)
    )
    return Image.blend(soft, grain.resize((width, height)), 0.15)


def photo_jpeg(rng: Random, width: int = 320, height: int = 240, quality: int = 70) -> bytes:
    """A photograph with a camera's EXIF block and, as cameras do, a thumbnail size in it."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "HAKU", "H-1", "2018:05:01 10:00:00"
    return _encode(_scene(rng, width, height), "JPEG", quality=quality, exif=exif.tobytes())


def photo_png(rng: Random, width: int = 160, height: int = 120) -> bytes:
    return _encode(_scene(rng, width, height), "PNG")


def photo_tiff(rng: Random, width: int = 160, height: int = 120) -> bytes:
    return _encode(_scene(rng, width, height), "TIFF", compression="tiff_lzw")


def icon_gif(rng: Random) -> bytes:
    return _encode(_scene(rng, 48, 48).quantize(32), "GIF")


def drawing_bmp(rng: Random) -> bytes:
    return _encode(_scene(rng, 64, 48), "BMP")
