"""E-mail addresses by carrier: how many of those that were planted in each kind of file are found.

    python -m bench.carriers [--count 200] [--only NAME,…] [--table FILE] [--keep FOLDER]

Each carrier holds addresses of its own; all lie in one raw image without a file system. Found are
those whose counting key the case holds. Where a program may have written over some of them (rows
that were deleted), only those count whose bytes are still in the file.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from bench import measure
from bench.carriers_made import CARRIERS, Carrier

ROOT = Path(__file__).resolve().parents[1]
_CLUSTER = 4096
HEAD = "| carrier | planted | found | share |\n|---|---|---|---|"


def addresses(carrier: int, count: int) -> list[str]:
    return [f"u{carrier:02}x{number:05}@mail{number % 7}.example.jp" for number in range(count)]


def lay(out: Path, count: int, names: set[str]) -> dict[str, list[str]]:
    """Writes the image; carrier -> the addresses that are still in it."""
    planted: dict[str, list[str]] = {}
    with out.open("wb") as image:
        for number, one in enumerate(CARRIERS):
            if names and one.name not in names:
                continue
            words = addresses(number, count)
            for data in one.make(words):
                image.write(data + bytes(-len(data) % _CLUSTER) + bytes(_CLUSTER))
                planted.setdefault(one.name, []).extend(_left(one, words, data))
    return {name: list(dict.fromkeys(words)) for name, words in planted.items()}


def _left(one: Carrier, words: list[str], data: bytes) -> list[str]:
    if one.encoding is None:
        return words
    return [word for word in words if word.encode(one.encoding) in data]


def found(image: Path, work: Path) -> set[bytes]:
    """Counting keys of every e-mail address that an assessment finds."""
    from hakushi.app import house
    from hakushi.assess.case import Case

    case = work / "carriers.hakushi"
    program = os.environ.get("HAKUSHI", str(ROOT / "hakushi"))
    words: list[str | Path] = [
        program,
        "assess",
        image,
        "--case",
        case,
        "--keep-key",
        "--no-metadata",
    ]
    cost = measure.run(words, work / "log")
    if cost.status not in (0, 3, 4):
        raise RuntimeError(f"hakushi ended with {cost.status}; see {work / 'log'}")
    key = house.read_key(case)
    assert key is not None
    _KEY[0] = key
    held = Case.open(case)
    try:
        return {one.key for one in held.findings() if one.kind == "email"}
    finally:
        held.close()


_KEY = [b""]


def _key(word: str) -> bytes:
    from hakushi import detect
    from hakushi.model import Locator, Text

    place = Locator.root("bench", "0")
    return next(f.key for f in detect.find(Text(word + "\n"), place, _KEY[0]) if f.kind == "email")


def into(page: str, table: str) -> str:
    start, end = "<!-- carriers -->", "<!-- /carriers -->"
    block = f"{start}\n{table}\n{end}"
    if start in page:
        return re.sub(f"{start}.*?{end}", lambda _: block, page, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{block}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=200, help="addresses in each carrier")
    parser.add_argument("--only", default="", help="names, by commas")
    parser.add_argument("--table", type=Path, help="a page to write the table into")
    parser.add_argument("--keep", type=Path, help="a folder to leave the image and the case in")
    words = parser.parse_args()
    work = words.keep or Path(tempfile.mkdtemp(prefix="bench-carriers-"))
    work.mkdir(parents=True, exist_ok=True)
    rows, short = [HEAD], 0
    try:
        image = work / "carriers.img"
        planted = lay(image, words.count, set(filter(None, words.only.split(","))))
        keys = found(image, work)
        for name, some in planted.items():
            got = sum(_key(word) in keys for word in some)
            short += got < 0.99 * len(some)
            rows.append(f"| {name} | {len(some)} | {got} | {got / max(1, len(some)):.3f} |")
    finally:
        if words.keep is None:
            shutil.rmtree(work, ignore_errors=True)
    print("\n".join(rows))
    if words.table:
        page = words.table.read_text("utf-8") if words.table.exists() else "# Performance\n"
        words.table.write_text(into(page, "\n".join(rows)), encoding="utf-8")
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
