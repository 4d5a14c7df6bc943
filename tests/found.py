"""What is found in raw bytes, one by one."""

from collections.abc import Iterator
from typing import Any

from hakushi import detect
from hakushi.model import Damage, Finding, Source


def scan(source: Source, key: bytes, **more: Any) -> Iterator[Finding | Damage]:
    """`detect.scan`, each finding an object of its own."""
    for one in detect.scan(source, key, **more):
        yield from one if isinstance(one, detect.Found) else (one,)
