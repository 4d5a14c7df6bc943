"""Recall and precision of the detectors on a labelled set, and their speed on raw bytes.

``python bench/detect.py SET.jsonl`` measures a set: one JSON object a line with ``text``, ``spans``
([start, end, type, …]) and ``encoding``; documents without spans are negatives. ``--speed``
measures bytes a second on random bytes, on the binaries of this machine and on Japanese text, once
the patterns are compiled.
``--show N`` prints N mistakes a kind.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hakushi import detect
from hakushi.detect import persons
from hakushi.media import Memory
from hakushi.model import Extent, Locator, Source, Strength, Text

KINDS = {
    "PERSON": "person_name", "KANA": "kana_name", "DOB": "birth_date", "ADDRESS": "address",
    "POSTAL": "postal_code", "PHONE": "phone", "EMAIL": "email", "MYNUMBER": "my_number",
    "JUMINHYO": "resident_code", "PENSION": "pension_number", "LICENCE": "drivers_licence",
    "BANK": "bank_account", "ORG": "firm_name", "CORPNUM": "corporate_number",
}  # fmt: skip


class Score:
    """Counts of one kind."""

    def __init__(self) -> None:
        self.found = self.right = self.exact = self.planted = self.met = 0

    def row(self, kind: str) -> str:
        recall = self.met / self.planted if self.planted else float("nan")
        precision = self.right / self.found if self.found else float("nan")
        exact = self.exact / self.planted if self.planted else float("nan")
        f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
        return (
            f"{kind:18} {self.planted:6} {self.found:6}  {recall:7.3f} {precision:9.3f} "
            f"{f1:6.3f} {exact:6.3f}"
        )


def measure(documents: Iterable[dict[str, Any]], show: int, raw: bool) -> None:
    scores: dict[str, Score] = defaultdict(Score)
    negatives: Counter[str] = Counter()
    mistakes: dict[str, list[str]] = defaultdict(list)
    encodings: Counter[str] = Counter()
    count = 0
    places: list[persons.Place] = []
    people: set[str] = set()
    firms: set[str] = set()
    began = time.process_time()
    for document in documents:
        count += 1
        text = document["text"]
        if raw:
            data = text.encode(document["encoding"])
            decoded = detect.decode(data)
            if decoded.chars != text:
                encodings[f"{document['encoding']} read as {decoded.encoding}"] += 1
        else:
            decoded = Text(text)
        found = detect.spans(decoded, b"bench")
        places += [
            (f"{count:06}", one.start, one.kind, one.value_key)
            for one in found
            if one.strength is Strength.LABELLED
        ]
        for _, _, name, *whose in document["spans"]:
            if whose and whose[0] is not None:
                if name in ("ORG", "CORPNUM"):
                    firms.add(str(whose[0]))
                elif name in ("PERSON", "KANA"):
                    people.add(str(whose[0]))
        if not document["spans"]:
            for one in found:
                negatives[f"{one.kind} {one.strength}"] += 1
                mistakes["negative"].append(
                    f"{one.kind} {one.strength} {text[one.start : one.end]}"
                )
            continue
        judge(text, found, document["spans"], scores, mistakes)
    print(f"{count} documents in {time.process_time() - began:.1f} s")
    print(
        f"{'kind':18} {'planted':>6} {'found':>6}  {'recall':>7} {'precision':>9} "
        f"{'F1':>6} {'exact':>6}"
    )
    for kind in sorted(scores):
        print(scores[kind].row(kind))
    if people or firms:
        counted = persons.count(persons.parts(places))
        for word, true, told in (
            ("people", people, counted[0]),
            ("firms", firms, counted[1]),
        ):
            print(f"{word}: {len(true)} in truth, counted {told.low} / {told.best} / {told.high}")
    print("on negatives:", dict(negatives) or "none")
    if encodings:
        print("read in another encoding:", dict(encodings))
    for kind, lines in sorted(mistakes.items()):
        for line in lines[:show]:
            print(f"  {kind}: {line}")


def judge(
    text: str,
    found: list[detect.Span],
    planted: list[list[Any]],
    scores: dict[str, Score],
    mistakes: dict[str, list[str]],
) -> None:
    """Overlap matching of labelled spans with planted ones, exact bounds counted beside it."""
    mine = defaultdict(list)
    for one in found:
        if one.strength is Strength.LABELLED:
            mine[one.kind].append((one.start, one.end))
    theirs = defaultdict(list)
    for start, end, name, *_ in planted:
        theirs[KINDS.get(name, name)].append((start, end))
    for kind in mine.keys() | theirs.keys():
        score = scores[kind]
        score.found += len(mine[kind])
        score.planted += len(theirs[kind])
        for a, b in mine[kind]:
            if any(a < d and c < b for c, d in theirs[kind]):
                score.right += 1
            else:
                mistakes[kind].append(f"extra {text[a:b]!r} in {text[max(0, a - 20) : b + 10]!r}")
        for c, d in theirs[kind]:
            if any(a < d and c < b for a, b in mine[kind]):
                score.met += 1
            else:
                mistakes[kind].append(f"missed {text[c:d]!r} in {text[max(0, c - 20) : d + 10]!r}")
            score.exact += (c, d) in mine[kind]


# --- speed -------------------------------------------------------------------------------


class Repeated:
    """A Source that repeats one block: as large as wanted without the memory."""

    def __init__(self, block: bytes, size: int) -> None:
        self.block = block
        self.size = size
        self.locator = Locator.root("memory", "bench")

    def read(self, extent: Extent) -> bytes:
        start = extent.offset % len(self.block)
        data = self.block[start : start + extent.length]
        while len(data) < min(extent.end, self.size) - extent.offset:
            data += self.block[: extent.length - len(data)]
        return data


def binaries(limit: int) -> bytes:
    """The programs of this machine, one after the other."""
    parts, size = [], 0
    for path in sorted(Path("/usr/bin").iterdir()):
        if path.is_file() and size < limit:
            parts.append(path.read_bytes())
            size += len(parts[-1])
    return b"".join(parts)[:limit]


def speed(megabytes: int, prose: Path | None) -> None:
    """Bytes a second on one core, and what was found where nothing should be."""
    size = megabytes << 20
    detect.warm()
    letter = "氏名：山田太郎\n住所：東京都港区芝1-2-3\nTEL 03-3234-5678\n個人番号：123456789018\n"
    deque(detect.scan(Memory(letter.encode() * 20, Locator.root("memory", "warm")), b"bench"), 0)
    run("random", Memory(os.urandom(size), Locator.root("memory", "random")))
    run("binaries", Memory(binaries(size), Locator.root("memory", "binaries")))
    if prose:
        text = prose.read_text("utf-8")
        for encoding in ("utf-8", "cp932", "utf-16-le"):
            block = text.encode(encoding, "replace")
            run(f"{prose.name} {encoding}", Repeated(block, max(len(block), 8 << 20)))


def run(name: str, source: Source) -> None:
    began = time.process_time()
    kinds: Counter[str] = Counter()
    for one in detect.scan(source, b"bench"):
        if isinstance(one, detect.Found):
            kinds.update(f"{kind} {strength}" for _, _, kind, strength, *_ in one.places)
        else:
            kinds["damage"] += 1
    took = time.process_time() - began
    print(f"{name:24} {source.size / took / 1e6:8.1f} MB/s  {dict(kinds)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", nargs="?", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--raw", action="store_true", help="encode, then guess the encoding")
    parser.add_argument("--speed", type=int, metavar="MIB", help="measure speed on so many MiB")
    parser.add_argument("--prose", type=Path, help="a Japanese text in UTF-8 to measure speed on")
    options = parser.parse_args()
    if options.speed:
        speed(options.speed, options.prose)
    if options.set:
        with options.set.open(encoding="utf-8") as lines:
            measure((json.loads(line) for line in lines), options.show, options.raw)


if __name__ == "__main__":
    main()
