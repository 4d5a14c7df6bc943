"""Compiles what is compiled once: block kernels and the prefilter. Run at set-up."""

from __future__ import annotations

from hakushi import detect
from hakushi.app import house
from hakushi.assess import triage
from hakushi.detect import persons
from hakushi.model import SECTOR
from hakushi.recover.grammar import jpeg_scan, lzfse
from hakushi.recover.grammar.crc32c import crc32c


def warm() -> None:
    """Fills the caches, so that the first drive does not wait for the compilers."""
    triage.classify(bytes(SECTOR))
    jpeg_scan.warm()
    crc32c(bytes(16))
    lzfse.warm()
    persons.warm()
    detect.warm(house.prefilter_cache())


if __name__ == "__main__":
    warm()
