"""Detection on bytes that were made to hurt: time, memory, and that every span lies inside.

``python -m bench.hostile_text [--size MIB]``. Each case runs in a process of its own. Ends with 1
where one needs more than a gibibyte, is slower than 0.05 MB/s, raises, or gives a place outside.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from hakushi import detect
from hakushi.media import Memory
from hakushi.model import Locator

MOST_MEMORY, LEAST_PACE = 1 << 30, 0.05e6


def filled(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def noise(size: int) -> bytes:
    return random.Random(1).randbytes(size)


def mixed(size: int) -> bytes:
    """Every line in another encoding, some of them cut in the middle of a character."""
    state, out = random.Random(2), bytearray()
    line = "氏名：架空太郎　電話 03-3234-5678　住所：東京都港区芝1-2-3\n"
    names = ("cp932", "euc_jp", "utf-8", "utf-16-le", "utf-16-be", "iso-2022-jp")
    while len(out) < size:
        data = line.encode(state.choice(names))
        out += data[: state.randrange(len(data) + 1)]
    return bytes(out[:size])


CASES: dict[str, Callable[[int], bytes]] = {
    "one line of ASCII": lambda size: filled(b"lorem ipsum dolor ", size),
    "one line of Japanese": lambda size: filled("納税者の住所と氏名を書く".encode(), size),
    "one line, CP932": lambda size: filled("納税者の住所と氏名を書く".encode("cp932"), size),
    "an address every 9 bytes": lambda size: filled(b"aa@bc.jp ", size),
    "a number every 13 bytes": lambda size: filled(b"123456789018 ", size),
    "labels and nothing else": lambda size: filled("個人番号氏名住所電話番号".encode(), size),
    "digits and nothing else": lambda size: filled(b"1234567890", size),
    "names and nothing else": lambda size: filled("山田 太郎 ".encode(), size),
    "kanji with gaps": lambda size: filled("山田 会長 第一 ".encode(), size),
    "statements of unknown tables": lambda size: filled(b"INSERT INTO t VALUES (1,'x');\n", size),
    "a statement that never ends": lambda size: b"INSERT INTO t VALUES (" + filled(b"'a,(", size),
    "quotes that never close": lambda size: filled(b'"a,"b,"\n"c,', size),
    "commas and nothing else": lambda size: filled(b",", size),
    "lone surrogates": lambda size: filled(b"\x00\xd8A\x00\x00\xdcB\x00", size),
    "broken UTF-8": lambda size: filled(b"\xe6\xb0\xe5\x90\x8d\xff\xfe", size),
    "combining and right-to-left": lambda size: filled("e\u0301\u202e\u0639\u200f".encode(), size),
    "half-width kana": lambda size: filled("ｼﾒｲ:ﾔﾏﾀﾞ ﾀﾛｳ ".encode("cp932"), size),
    "escapes of ISO-2022-JP": lambda size: filled(b"\x1b$B;aL>\x1b(B\x1b$B", size),
    "mixed encodings": mixed,
    "noise": noise,
}


def one(name: str, size: int) -> int:
    """Runs one case and prints its row."""
    data = CASES[name](size)
    detect.warm()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, found, damage, outside = time.perf_counter(), 0, 0, 0
    for thing in detect.scan(Memory(data, Locator.root("memory", "bench")), b"bench"):
        if isinstance(thing, detect.Found):
            found += len(thing.places)
            outside += sum(not 0 <= at < at + n <= len(data) for at, n, *_ in thing.places)
        else:
            damage += 1
    took = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    pace = len(data) / took
    print(f"| {name} | {pace / 1e6:.1f} | {grown >> 20} | {found} | {damage} |", flush=True)
    return int(outside > 0 or grown > MOST_MEMORY or pace < LEAST_PACE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100, metavar="MIB")
    parser.add_argument("--case", choices=sorted(CASES))
    words = parser.parse_args()
    if words.case:
        return one(words.case, words.size << 20)
    print("| bytes | MB/s | MiB more than at the start | findings | chunks cut short |")
    print("|---|---|---|---|---|", flush=True)
    bad = 0
    for name in CASES:
        command = [sys.executable, "-m", "bench.hostile_text", "--case", name]
        bad |= subprocess.run([*command, "--size", str(words.size)], check=False).returncode
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
