"""The programs that are compared, each as one function: run it, tell what it claims.

What a program claims are the digests of the files that it wrote; for Hakushi those artifacts that
it calls complete. A peer's own reports and a file system's own files ($MFT …) are no claims.
``HAKUSHI`` in the environment names another launcher than the one at the root.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from bench.measure import Cost

ROOT = Path(__file__).resolve().parents[1]
_PHOTOREC = "partition_none,options,paranoid,fileopt,everything,enable,wholespace,search"


@dataclass(frozen=True, slots=True)
class Result:
    """What a program gave back and what it claims, by digest."""

    given: Mapping[str, Sequence[str]]
    """Where under its output the program put the files with this digest."""
    claimed: Counter[str]
    cost: Cost


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(folder: Path, but: tuple[str, ...] = ()) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            system = path.name.startswith("$") or "$Extend" in path.parts
            if not system and path.name not in but:
                yield path


def _of(folder: Path, cost: Cost, but: tuple[str, ...] = ()) -> Result:
    given: dict[str, list[str]] = {}
    for path in _written(folder, but):
        given.setdefault(_digest(path), []).append(path.relative_to(folder).as_posix())
    return Result(given, Counter({digest: len(some) for digest, some in given.items()}), cost)


def photorec(image: Path, work: Path) -> Result:
    log = work / "log"
    words: list[str | Path] = [
        "photorec",
        "/log",
        "/d",
        work / "out",
        "/cmd",
        image.resolve(),
        _PHOTOREC,
    ]
    cost = measure.run(words, log, cwd=work)
    both = work / "given"
    both.mkdir()
    for folder in sorted(work.glob("out.*")):
        folder.rename(both / folder.name)
    return _of(both, cost, ("report.xml",))


def tsk_recover(image: Path, work: Path) -> Result:
    out = work / "given"
    out.mkdir()
    return _of(out, measure.run(["tsk_recover", "-e", image.resolve(), out], work / "log"))


def foremost(image: Path, work: Path) -> Result:
    out = work / "given"
    cost = measure.run(["foremost", "-q", "-o", out, "-i", image.resolve()], work / "log")
    return _of(out, cost, ("audit.txt",))


def hakushi(image: Path, work: Path) -> Result:
    return _hakushi(image, work)


def hakushi_by_content(image: Path, work: Path) -> Result:
    """Without any file system's records, as the carvers beside it work."""
    return _hakushi(image, work, "--no-metadata")


def hakushi_files(image: Path, work: Path) -> Result:
    """Restoring alone, with digests, as the tools beside it do."""
    return _hakushi(image, work, "--files-only")


def _hakushi(image: Path, work: Path, *more: str) -> Result:
    case, out, log = work / "bench.hakushi", work / "given", work / "log"
    program = os.environ.get("HAKUSHI", str(ROOT / "hakushi"))
    words: list[str | Path] = [program, "assess", image.resolve(), "--case", case, "--recover", out]
    cost = measure.run([*words, *more, "--json", work / "assessment.json"], log)
    if cost.status not in (0, 3, 4):
        raise RuntimeError(f"hakushi ended with {cost.status}; see {log}")
    listing = work / "artifacts.jsonl"
    measure.run([program, "case", "artifacts", case], listing)
    rows = [json.loads(line) for line in listing.read_text("utf-8").splitlines() if line[:1] == "{"]
    return Result(_of(out, cost).given, _complete(rows), cost)


def _complete(rows: list[dict[str, object]]) -> Counter[str]:
    """Digests of the top-level files called complete; what lies in a file is part of that."""
    places = {str(row["locator"]) for row in rows}
    out: Counter[str] = Counter()
    for row in rows:
        steps = str(row["locator"]).split("/")
        inside = any("/".join(steps[:n]) in places for n in range(1, len(steps)))
        if row["complete"] and row["sha256"] and row["size"] and not inside:
            out[str(row["sha256"])] += 1
    return out


TOOLS: dict[str, Callable[[Path, Path], Result]] = {
    "hakushi": hakushi,
    "hakushi --no-metadata": hakushi_by_content,
    "hakushi --files-only": hakushi_files,
    "photorec": photorec,
    "tsk_recover": tsk_recover,
    "foremost": foremost,
}


def missing(name: str) -> bool:
    """The program is not on this machine."""
    return not name.startswith("hakushi") and shutil.which(name) is None
