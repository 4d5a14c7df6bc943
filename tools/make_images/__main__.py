"""Makes the drives that the demo, the tests and the bench read."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import sample, scenarios, testset

ROOT = Path(__file__).resolve().parents[2]
SEED = 20190329


def _sample(words: argparse.Namespace) -> None:
    sample.build(words.out, words.out.with_suffix(".json"), words.seed)


def _tests(words: argparse.Namespace) -> None:
    testset.build(words.out, words.seed)


def _scenario(words: argparse.Namespace) -> None:
    scenarios.build(words.name, words.out, words.seed, words.size)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make_images", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("sample", help="the sample drive of the demo")
    verb.add_argument("--out", type=Path, default=ROOT / "src/hakushi/data/sample.E01")
    verb.set_defaults(run=_sample)
    verb = verbs.add_parser("tests", help="the small images of the tests")
    verb.add_argument("--out", type=Path, default=ROOT / "tests/images")
    verb.set_defaults(run=_tests)
    verb = verbs.add_parser("scenario", help="a volume for the bench, and its manifest")
    verb.add_argument("name", choices=sorted({*scenarios.SCENARIOS, *scenarios.DISKS}))
    verb.add_argument("out", type=Path)
    verb.add_argument("--size", type=int, default=256, help="MiB")
    verb.set_defaults(run=_scenario)
    for verb in verbs.choices.values():
        verb.add_argument("--seed", type=int, default=argparse.SUPPRESS)
    words = parser.parse_args()
    words.run(words)


if __name__ == "__main__":
    main()
