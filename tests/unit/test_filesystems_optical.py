"""ISO 9660 and HFS+ as xorriso made them: every file, under its own name; and torn."""

import hashlib
import lzma
import tarfile
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.media import Memory, Runs
from hakushi.model import Artifact, Damage, Extent, Role
from hakushi.recover import Budget, identify, walk

KEPT = Path(__file__).parents[1] / "images" / "optical.tar.xz"
KINDS = {"disc.iso": "iso9660", "joliet.iso": "iso9660", "mac.hfs": "hfs"}


@cache
def kept() -> dict[str, bytes]:
    with tarfile.open(fileobj=BytesIO(lzma.decompress(KEPT.read_bytes()))) as tar:
        members = [m for m in tar.getmembers() if m.isfile()]
        return {m.name.removeprefix("optical/"): tar.extractfile(m).read() for m in members}


def planted() -> dict[str, str]:
    every = {n.removeprefix("files/"): d for n, d in kept().items() if n.startswith("files/")}
    return {name: hashlib.sha256(data).hexdigest() for name, data in every.items()}


def content(data: bytes) -> tuple[dict[str, str], list[Artifact], list[Damage]]:
    source = Memory(data)
    every = list(walk(source, Budget.of(seconds=60)))
    artifacts = [one for one in every if isinstance(one, Artifact)]
    files = {
        str(a.path): hashlib.sha256(
            Runs(source, a.runs, a.size, a.locator).read(Extent(0, a.size))
        ).hexdigest()
        for a in artifacts
        if a.kind == "file" and a.runs is not None
    }
    return files, artifacts, [one for one in every if isinstance(one, Damage)]


@pytest.mark.parametrize("name", KINDS)
def test_every_file_is_there_under_its_name(name):
    assert identify(Memory(kept()[name])).id == KINDS[name]
    files, artifacts, damage = content(kept()[name])
    if name == "disc.iso":  # The Sleuth Kit does not see the long names of xorriso's Rock Ridge
        assert sorted(files.values()) == sorted(planted().values())
    else:
        assert files == planted()
    assert damage == []
    assert all(one.complete for one in artifacts)


def test_a_name_that_someone_chose_is_told_and_a_programs_own_is_not():
    labels = {
        name: [one.path for one in content(kept()[name])[1] if one.role is Role.LABEL]
        for name in ("disc.iso", "joliet.iso")
    }
    assert labels == {"disc.iso": [], "joliet.iso": ["TAXDATA"]}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_torn_volume_ends_in_damage_not_in_a_crash(name, data):
    whole = bytearray(kept()[name])
    for _ in range(data.draw(st.integers(1, 12))):
        # The structures stand at the front; the files' bytes behind them are nobody's claim.
        at = data.draw(st.integers(1024, 64 << 10))
        whole[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    cut = data.draw(st.integers(40 << 10, len(whole)))
    _, artifacts, damage = content(bytes(whole[:cut]))
    assert all(isinstance(one.what, str) for one in damage)
    assert all(run.at + run.length <= cut for a in artifacts for run in a.runs or () if run.at)


def test_an_emptied_mac_volume_is_not_explained_by_its_own_catalog():
    """Names that were deleted lie in the catalog's nodes: only the headers are structure."""
    artifacts = content(kept()["mac.hfs"])[1]
    explained = [run for a in artifacts if a.role is Role.STRUCTURE for run in a.runs]
    assert sum(run.length for run in explained) == 1024
