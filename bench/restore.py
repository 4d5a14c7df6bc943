"""One run on one image: what Hakushi and its peers bring back, bit for bit, and at what cost.

    python -m bench.restore IMAGE [--manifest IMAGE.json] [--tools hakushi,photorec] [--table FILE]

The image and its manifest come from ``python -m tools.make_images scenario``. Recall is over the
files whose bytes are all still in the image; a file counts where a program gave back exactly its
bytes under any name. Precision is over what a program claims: the files it wrote, for Hakushi
those artifacts that it calls complete; a claim is right where its bytes are a planted file's.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import peers
from bench.peers import TOOLS, Result

HEAD = (
    "| tool | live | deleted | in pieces | by path | claimed | precision "
    "| wall s | CPU s | peak MiB | MB/s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    def __str__(self) -> str:
        return f"{self.part}/{self.whole} ({self.part / self.whole:.1%})" if self.whole else "–"


@dataclass(frozen=True, slots=True)
class Score:
    live: Share
    gone: Share
    pieces: Share
    named: Share
    """Restored under their own paths."""
    precision: Share


def score(files: Sequence[dict[str, Any]], result: Result) -> Score:
    """Recall apart for live files, the others, and those in pieces; precision of claims."""
    targets = [one for one in files if one["still"] and one["size"]]

    def found(which: Callable[[dict[str, Any]], bool]) -> Share:
        some = [one["sha256"] for one in targets if which(one)]
        return Share(sum(digest in result.given for digest in some), len(some))

    def named(one: dict[str, Any]) -> bool:
        return any(place.endswith(one["path"]) for place in result.given[one["sha256"]])

    back = [one for one in targets if one["sha256"] in result.given]
    known = {one["sha256"] for one in files}
    right = sum(count for digest, count in result.claimed.items() if digest in known)
    return Score(
        found(lambda one: one["state"] == "live"),
        found(lambda one: one["state"] != "live"),
        found(lambda one: one["fragments"] > 1),
        Share(sum(named(one) for one in back), len(targets)),
        Share(right, result.claimed.total()),
    )


def line(name: str, scored: Score, result: Result, size: int) -> str:
    """One row of the table."""
    cost, precision = result.cost, scored.precision
    rate = f"{precision.part / precision.whole:.3f}" if precision.whole else "–"
    return (
        f"| {name} | {scored.live} | {scored.gone} | {scored.pieces} | {scored.named} "
        f"| {precision.whole} | {rate} "
        f"| {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak >> 20} | {size / cost.wall / 1e6:.0f} |"
    )


def oracle(files: Sequence[dict[str, Any]]) -> str:
    """What could come back at most: files in one piece, and those whose order is still recorded.

    Empty where the manifest does not know of every file in pieces.
    """
    targets = [one for one in files if one["still"] and one["size"]]
    torn = [one for one in targets if one["fragments"] > 1]
    if any(one.get("recorded") is None for one in torn):
        return ""

    def able(some: Sequence[dict[str, Any]]) -> Share:
        return Share(sum(one["fragments"] < 2 or one["recorded"] for one in some), len(some))

    live = [one for one in targets if one["state"] == "live"]
    gone = [one for one in targets if one["state"] != "live"]
    return f"| *in one piece, or recorded* | {able(live)} | {able(gone)} | {able(torn)} ||||||||"


def missed(files: Sequence[dict[str, Any]], result: Result) -> list[str]:
    """Paths of the files that could have come back and did not."""
    return [
        f"{one['state']} {one['fragments']} {one['size']} {one['path']}"
        for one in files
        if one["still"] and one["size"] and one["sha256"] not in result.given
    ]


def compare(image: Path, listing: dict[str, Any], names: Iterable[str], keep: Path | None) -> str:
    """Runs each tool in a fresh folder and returns the table."""
    rows = [HEAD, *filter(None, [oracle(listing["files"])])]
    for name in names:
        if peers.missing(name):
            rows.append(f"| {name} | not on this machine ||||||||||")
            continue
        work = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        try:
            result = TOOLS[name](image, work)
            scored = score(listing["files"], result)
            rows.append(line(name, scored, result, image.stat().st_size))
            print(rows[-1], flush=True)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                text = "\n".join(missed(listing["files"], result)) + "\n"
                (keep / f"{image.name}-{name}-missed.txt").write_text(text, encoding="utf-8")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return "\n".join(rows)


def into(page: str, name: str, table: str) -> str:
    """The page with the table between this name's markers, appended where there are none."""
    start, end = f"<!-- restore:{name} -->", f"<!-- /restore:{name} -->"
    block = f"{start}\n{table}\n{end}"
    if start in page:
        return re.sub(
            f"{re.escape(start)}.*?{re.escape(end)}", lambda _: block, page, flags=re.DOTALL
        )
    return f"{page.rstrip()}\n\n{block}\n"


def caption(listing: dict[str, Any], size: int) -> str:
    files = [one for one in listing["files"] if one["size"]]
    still = sum(one["still"] for one in files)
    torn = sum(one["still"] and one["fragments"] > 1 for one in files)
    return (
        f"### {listing['name']}, {size >> 20} MiB, seed {listing['seed']}\n\n"
        f"{len(files)} files planted, {still} of them still whole in the image, {torn} in pieces.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("image", type=Path)
    parser.add_argument("--manifest", type=Path, help="default: IMAGE.json")
    parser.add_argument("--tools", default=",".join(TOOLS), help="names, by commas")
    parser.add_argument("--table", type=Path, help="a page to write the table into")
    parser.add_argument("--missed", type=Path, help="a folder for lists of what did not come back")
    words = parser.parse_args()
    manifest: Path = words.manifest or words.image.with_name(words.image.name + ".json")
    listing = json.loads(manifest.read_text("utf-8"))
    head = caption(listing, words.image.stat().st_size)
    print(head + "\n" + HEAD, flush=True)
    table = compare(words.image, listing, words.tools.split(","), words.missed)
    if words.table:
        page = words.table.read_text("utf-8") if words.table.exists() else "# Performance\n"
        words.table.write_text(into(page, listing["name"], f"{head}\n{table}"), encoding="utf-8")


if __name__ == "__main__":
    main()
