"""File systems with files in them: what the makers' manifest says is what the walk finds."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

import pytest

from hakushi.media import Memory
from hakushi.model import Artifact, Damage, Extent, Locator, Malformed, Role, State, Unreadable
from hakushi.recover import Budget, Family, reach, walk
from hakushi.recover.resolve import Claim, resolve

IMAGES = Path(__file__).parent.parent / "images"
MANIFEST = json.loads((IMAGES / "manifest.json").read_text())["images"]
USED = sorted(name for name in MANIFEST if not name.startswith("empty-"))
EMPTY = sorted(name for name in MANIFEST if name.startswith("empty-"))


@cache
def walked(name: str) -> tuple[Memory, list[Artifact | Damage]]:
    source = Memory(gzip.decompress((IMAGES / name).read_bytes()))
    budget = Budget.of(seconds=120)
    families = (Family.VOLUMES, Family.FILESYSTEM, Family.ENCRYPTED)
    return source, list(walk(source, budget, *families))


def artifacts(name: str, role: Role = Role.CONTENT) -> list[Artifact]:
    return [a for a in walked(name)[1] if isinstance(a, Artifact) and a.role is role]


def volume_of(name: str, locator: Locator) -> int:
    """The manifest's number of the volume that a locator goes through."""
    starts = {a.locator: a.runs[0].at for a in artifacts(name, Role.VOLUME) if a.runs}
    at = next((at for place, at in starts.items() if place.names == locator.names[:2]), 0)
    return next(v["number"] for v in MANIFEST[name]["volumes"] if v["offset"] == at)


@cache
def contents(name: str) -> dict[tuple[int, str, State], list[tuple[str, bool]]]:
    """(volume, path, state) -> digest and ``complete`` of what was found so."""
    source, found = walked(name)
    known = {a.locator: a for a in found if isinstance(a, Artifact)}
    out: dict[tuple[int, str, State], list[tuple[str, bool]]] = {}
    for artifact in artifacts(name):
        if artifact.kind == "directory" or artifact.path is None:
            continue
        try:
            inner = reach(source, artifact.locator, known.__getitem__)
            data = inner.read(Extent(0, inner.size))
        except (Malformed, Unreadable):
            continue
        assert len(data) == artifact.size
        key = (volume_of(name, artifact.locator), artifact.path, artifact.state)
        digest = hashlib.sha256(data).hexdigest()
        out.setdefault(key, []).append((digest, artifact.complete))
    return out


def kinds(name: str) -> dict[int, str]:
    return {v["number"]: v["kind"] for v in MANIFEST[name]["volumes"]}


@pytest.mark.parametrize("name", USED)
def test_every_live_file_comes_back_by_its_path(name: str) -> None:
    found = contents(name)
    missing = [
        file["path"]
        for file in MANIFEST[name]["files"]
        if file["state"] == "live"
        and (file["sha256"], True) not in found.get((file["volume"], file["path"], State.LIVE), [])
    ]
    assert not missing
    assert any(file["state"] == "live" for file in MANIFEST[name]["files"])


@pytest.mark.parametrize("name", [n for n in USED if "ext" not in n.removeprefix("exfat")])
def test_deleted_files_come_back_where_the_file_system_keeps_their_place(name: str) -> None:
    """NTFS and FAT do; ext4 clears it, ext2 and ext3 too."""
    digests = {digest for found in contents(name).values() for digest, _ in found}
    volumes = {n for n, kind in kinds(name).items() if kind.startswith(("ntfs", "fat", "exfat"))}
    wanted = [
        file
        for file in MANIFEST[name]["files"]
        if file["state"] == "deleted" and file["still"] and file["volume"] in volumes
    ]
    lost = [file["path"] for file in wanted if file["sha256"] not in digests]
    fragmented = [file["path"] for file in wanted if file["fragments"] > 1]
    ntfs = {file["path"] for file in wanted if kinds(name)[file["volume"]] == "ntfs"}
    assert not set(lost) & ntfs
    assert set(lost) <= set(fragmented)


@pytest.mark.parametrize("name", [n for n in USED if not n.startswith("disk")])
def test_a_deleted_file_that_is_said_to_be_complete_is(name: str) -> None:
    source, found = walked(name)
    claims = [Claim(a, a.runs) for a in found if isinstance(a, Artifact) and a.runs is not None]
    settled = resolve(claims, source.size)
    true = {file["sha256"] for file in MANIFEST[name]["files"]}
    said = [
        a
        for a in artifacts(name)
        if a.state is State.DELETED
        and a.kind != "directory"
        and a.complete
        and a.locator not in settled.incomplete | settled.superseded
    ]
    wrong = []
    for artifact in said:
        inner = reach(source, artifact.locator, lambda _, a=artifact: a)
        data = inner.read(Extent(0, inner.size))
        if hashlib.sha256(data).hexdigest() not in true:
            wrong.append(artifact.path)
    assert not wrong
    assert said or kinds(name)[1].startswith("ext")


@pytest.mark.parametrize("name", USED)
def test_chosen_labels_are_told(name: str) -> None:
    chosen = {v["label"] for v in MANIFEST[name]["volumes"] if v["label"]}
    assert {a.path for a in artifacts(name, Role.LABEL)} >= chosen


@pytest.mark.parametrize("name", USED + EMPTY)
def test_nothing_is_damaged(name: str) -> None:
    assert [d for d in walked(name)[1] if isinstance(d, Damage)] == []


@pytest.mark.parametrize("name", USED + EMPTY)
def test_runs_lie_inside_and_locators_are_unique(name: str) -> None:
    source, found = walked(name)
    sizes = {a.locator: a.size for a in found if isinstance(a, Artifact)}
    assert len(sizes) == len([a for a in found if isinstance(a, Artifact)])
    sizes[source.locator] = source.size
    for artifact in found:
        if isinstance(artifact, Artifact):
            parent = artifact.locator.parent
            assert parent is not None
            for run in artifact.runs or ():
                assert run.at is None or run.at + run.length <= sizes[parent]
