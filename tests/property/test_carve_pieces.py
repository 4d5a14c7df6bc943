"""Pieces of pictures that a plain decoder takes for each other's: each finds its own.

Where several pictures of one camera lie in pieces on one medium, the codes of any of them go on
after the codes of any other. What tells them apart is that the picture goes on.
"""

from __future__ import annotations

import io
import math
import sqlite3
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.carving import carved, content
from tests.format_samples import CSV, Sample, archive, noise, pdf, samples

from hakushi.media import Memory
from hakushi.recover import Budget, by_id
from hakushi.recover.rows import cluster_size

PIECE = 24 << 10
"""Bytes of the smallest piece: of less, a whole is listed but not promised."""

CARRIERS = ["jpeg", "restarts", "docx", "stored", "pdf"]


@cache
def scene(seed: int, restarts: bool = False) -> bytes:
    """A photograph: soft patches of colour, fine grain over them."""
    rng, size = Random(seed), (1120, 840)
    soft = Image.frombytes("RGB", (8, 6), rng.randbytes(144)).resize(size, Image.Resampling.BICUBIC)
    grain = Image.frombytes("RGB", (560, 420), rng.randbytes(705_600)).resize(size)
    out = io.BytesIO()
    options = {"restart_marker_rows": 1} if restarts else {}
    Image.blend(soft, grain, 0.15).save(out, "JPEG", quality=80, **options)
    return out.getvalue()


@cache
def carrier(kind: str, seed: int) -> bytes:
    """A file with a photograph in it."""
    if kind in {"jpeg", "restarts"}:
        return scene(seed, kind == "restarts")
    if kind == "pdf":
        photo = scene(seed)
        image = b"<</Subtype/Image/Filter/DCTDecode/Length %d>>stream\n%s\nendstream" % (
            len(photo),
            photo,
        )
        return pdf(fonts=(b"<</Type/Font/Subtype/Type1>>", image))
    method = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
    members = {"word/document.xml": CSV.encode(), "word/media/image1.jpeg": scene(seed)}
    return archive(method, members=members)


def in_turns(files: list[bytes], pieces: int, unit: int, rng: Random) -> tuple[bytes, list[int]]:
    """The files, each in pieces, all of them in turns; where each begins."""
    data, starts, cuts = b"", [], []
    for file in files:
        clusters = -(-len(file) // unit)
        step = PIECE // unit
        inner = sorted(rng.sample(range(step, clusters - step, step), pieces - 1))
        cuts.append([0, *inner, clusters])
    for turn in range(pieces):
        for file, cut in zip(files, cuts, strict=True):
            starts += [len(data)] if turn == 0 else []
            part = file[cut[turn] * unit : cut[turn + 1] * unit]
            data += part + bytes(-len(part) % unit)
    return data, starts


@pytest.mark.parametrize(
    ("kinds", "pieces", "unit"),
    [
        (["jpeg", "jpeg", "jpeg"], 3, 4096),
        (["docx", "stored", "pdf"], 2, 4096),
        (["restarts", "stored"], 2, 1024),
    ],
)
def test_pictures_in_pieces_in_turns_find_their_own(
    kinds: list[str], pieces: int, unit: int
) -> None:
    files = [carrier(kind, n) for n, kind in enumerate(kinds)]
    # Whole files tell how large clusters are.
    rest = b"".join(
        one + bytes(-len(one) % unit)
        for one in (archive(8, members={"a": noise(300 * n, n)}) for n in range(1, 12))
    )
    data, starts = in_turns(files, pieces, unit, Random(pieces))
    found = dict(carved(data + rest))
    for start, file in zip(starts, files, strict=True):
        assert content(data + rest, found[start]) == file, kinds
        assert found[start].complete


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(CARRIERS),
    place=st.integers(8, 12),
    other=st.integers(3, 10),
    seed=st.integers(0, 99),
)
def test_a_seam_shows_where_another_picture_goes_on(
    kind: str, place: int, other: int, seed: int
) -> None:
    format = by_id({"jpeg": "jpeg", "restarts": "jpeg", "pdf": "pdf"}.get(kind, "zip"))
    whole, cut = carrier(kind, seed), place * 4096
    foreign = scene(seed + 1, kind == "restarts")[other * 4096 :][: 2 * 4096]
    assert format.seams is not None
    assert format.goes_on is not None
    own, strange = (
        format.seams(Memory(whole[:cut] + rest), Budget(), [cut])[0]
        for rest in (whole[cut:], foreign + noise(4096, 1) + whole[cut:])
    )
    goes_on = format.goes_on(Memory(whole[:cut]), Budget())
    assert goes_on is not None
    assert own < 2
    assert goes_on(whole[cut : cut + 8192]) < 2
    tried = goes_on(foreign)
    assert strange > own or strange == 1.0  # too few of its codes to tell
    assert tried > goes_on(whole[cut : cut + 8192])


BEGUN = [s for s in samples() if by_id(s.format).goes_on and s.carved]


@settings(max_examples=60, deadline=None)
@given(sample=st.sampled_from(BEGUN), share=st.floats(0.05, 0.95))
def test_nothing_refuses_its_own_rest(sample: Sample, share: float) -> None:
    begin = by_id(sample.format).goes_on
    assert begin is not None
    cut = int(len(sample.data) * share)
    goes_on = begin(Memory(sample.data[:cut]), Budget())
    assert goes_on is None or goes_on(sample.data[cut:]) < math.inf


@settings(max_examples=60, deadline=None)
@given(
    sample=st.sampled_from([s for s in samples() if s.format in {"zip", "pdf", "jpeg", "png"}]),
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 9),
)
def test_what_was_measured_before_changes_nothing(sample: Sample, share: float, seed: int) -> None:
    """A beginning that is remembered must not speak for another one."""
    measure = by_id(sample.format).measure
    assert measure is not None
    cut = int(len(sample.data) * share)
    grown = sample.data * (1 + (64 << 10) // len(sample.data))
    torn = sample.data[:cut] + noise(512, seed) + sample.data[cut + 512 :]
    alone = []
    for data in (sample.data, torn, grown):
        measure(Memory(noise(64, seed)), Budget())
        for other in BEGUN:
            if other.format == sample.format:
                measure(Memory(other.data), Budget())
        alone.append(measure(Memory(data), Budget()))
    again = [measure(Memory(data), Budget()) for data in (sample.data, torn, grown)]
    assert again == alone


def table(first: int, seed: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        with sqlite3.connect(path) as base:
            base.execute("create table list (name text)")
            rng = Random(seed)
            rows = [(n, "架空 太郎" * rng.randrange(1, 9)) for n in range(first, first + 900)]
            base.executemany("insert into list (rowid, name) values (?, ?)", rows)
        base.close()
        return path.read_bytes()


@pytest.mark.parametrize("foreign", [5, 9])
def test_a_table_with_pages_of_another_is_not_whole(foreign: int) -> None:
    measure = by_id("sqlite").measure
    assert measure is not None
    one, other = table(1, 1), table(1, 2)
    at = foreign * 4096
    mixed = one[:at] + other[at : at + 4 * 4096] + one[at + 4 * 4096 :]
    found = [measure(Memory(data), Budget()) for data in (one, other, mixed)]
    assert [f and f.complete for f in found] == [True, True, False]


@given(
    unit=st.sampled_from([512, 1024, 2048, 4096]),
    origin=st.integers(0, 7),
    places=st.lists(st.integers(0, 10_000), min_size=40, max_size=80, unique=True),
)
def test_clusters_are_as_large_as_where_files_begin(
    unit: int, origin: int, places: list[int]
) -> None:
    found = cluster_size({origin * 512 + place * unit for place in places})
    assert found >= unit
    grid = {(origin * 512 + place * unit) % found for place in places}
    assert found == unit or len(grid) < len(places)
