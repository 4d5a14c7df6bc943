"""A generation of an NTFS volume that no longer stands: its derived streams.

Its files are found by `hakushi.recover.records`; as a format it is only a step of their locators.
"""

from __future__ import annotations

from hakushi.model import Source
from hakushi.recover import Family, Format


def _never(_source: Source) -> bool:
    return False


def _member(source: Source, value: str) -> Source:
    from hakushi.recover.records._ntfs_streams import member

    return member(source, value)


PLUGIN = Format("ntfsold", Family.FILESYSTEM, _never, member=_member)
