"""The program of the child process that reads text in pictures.

A request is ``[offset, size]``: where in its source the picture's file lies. The answer is one
string a page: its lines from top to bottom, the pieces of a line two spaces apart, as in a table.
Nothing here is trusted by the parent.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from hakushi.fleet.child import Reader, serve
from hakushi.model import Malformed

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_PIXELS = 120_000_000
"""Pixels of a page that are read; a sheet of A3 at 600 dots an inch has 70 million."""

_SMALLEST = 24
"""Pixels of a side below which a picture holds no line of text."""

_SIDE = 3500
"""Pixels of the longer side that are looked at: A4 at 300 dots an inch."""

_PAGES = 100
_CHARACTERS = 200_000
_SAME_LINE = 0.6
"""Two pieces stand in one line if their middles are so near, in heights of the larger."""


def _read(reader: Reader) -> Callable[[Any], Iterator[Any]]:
    import cv2
    from PIL import Image, ImageFile
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # it is asked for each page, below
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # what is left of a picture is read
    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": _SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def answer(request: Any) -> Iterator[Any]:
        offset, size = map(int, request)
        data = reader.read(offset, size)
        left = _CHARACTERS
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                for page in _pages(picture):
                    text = _text(engine(page))[:left]
                    left -= len(text)
                    yield text
        except (OSError, ValueError, SyntaxError, OverflowError, EOFError) as error:
            raise Malformed(f"the picture cannot be opened: {error}") from None

    return answer


def _pages(picture: Any) -> Iterator[Any]:
    """Each page as an array of blue, green, red; moving pictures give their first one."""
    import numpy as np

    count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
    for number in range(min(count, _PAGES)):
        picture.seek(number)
        width, height = picture.size
        if width * height > _PIXELS:
            raise Malformed(f"a picture of {width} x {height} pixels is not read")
        if min(width, height) >= _SMALLEST:
            yield np.ascontiguousarray(np.asarray(_flat(picture))[:, :, ::-1])
    if count > _PAGES:
        raise Malformed(f"more than {_PAGES} pages")


def _flat(picture: Any) -> Any:
    """As colours on white: what is transparent hides nothing."""
    from PIL import Image

    picture.draft("RGB", (_SIDE, _SIDE))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        sheet = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(sheet, over).convert("RGB")
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        low, high = picture.getextrema()
        scale = 255 / (high - low) if high > low else 1.0
        picture = picture.convert("F").point(lambda v: (v - low) * scale).convert("L")
    return picture.convert("RGB")


def _text(found: Any) -> str:
    if found.txts is None or found.boxes is None:
        return ""
    pieces = []
    for box, text in zip(found.boxes.tolist(), found.txts, strict=True):
        height = max(1.0, math.dist(box[0], box[3]))
        middle = sum(y for _, y in box) / len(box)
        pieces.append((middle, height, min(x for x, _ in box), str(text)))
    pieces.sort()
    lines: list[list[tuple[float, float, float, str]]] = []
    for piece in pieces:
        if lines:
            middle, height = lines[-1][-1][:2]
            if abs(piece[0] - middle) <= _SAME_LINE * max(height, piece[1]) / 2:
                lines[-1].append(piece)
                continue
        lines.append([piece])
    return "\n".join("  ".join(p[3] for p in sorted(line, key=lambda p: p[2])) for line in lines)


if __name__ == "__main__":
    serve(_read)
