"""Files of a btrfs volume that are gone: those whose bytes do not lie on the device as they are.

They are found by `hakushi.recover.records`; as a format it is only a step of their locators.
"""

from __future__ import annotations

from hakushi.model import Source
from hakushi.recover import Family, Format


def _never(_source: Source) -> bool:
    return False


def _member(source: Source, value: str) -> Source:
    from hakushi.recover.records.btrfs import member

    return member(source, value)


PLUGIN = Format("btrfsold", Family.FILESYSTEM, _never, member=_member)
