"""What every worker of an assessment has in memory: loaded once, where they are forked from.

Importing it is its work (`hakushi.fleet.here.prepare`). What cannot be loaded here is tried again
by each worker, which tells why.
"""

from __future__ import annotations

from contextlib import suppress

from hakushi import detect
from hakushi.app import house
from hakushi.assess import triage, units
from hakushi.fleet import here
from hakushi.model import SECTOR

__all__ = ["units"]

here.orphans_say_nothing()
with suppress(Exception):
    detect.warm(house.prefilter_cache())
    triage.classify(bytes(SECTOR))
