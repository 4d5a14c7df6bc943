"""Makes the drives that the demo, the tests and the bench read.

python -m tools.make_images sample
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import sample

ROOT = Path(__file__).resolve().parents[2]


def _sample(words: argparse.Namespace) -> None:
    out: Path = words.out
    sample.build(out, out.with_suffix(".json"), words.seed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make_images", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("sample", help="the sample drive of the demo")
    verb.add_argument("--out", type=Path, default=ROOT / "src/hakushi/data/sample.E01")
    verb.add_argument("--seed", type=int, default=20190329)
    verb.set_defaults(run=_sample)
    words = parser.parse_args()
    words.run(words)


if __name__ == "__main__":
    main()
