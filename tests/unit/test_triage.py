"""Every sector is judged on its own."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hakushi.assess import triage
from hakushi.model import SECTOR

LIST = (
    "氏名,住所,電話番号,生年月日\r\n"
    + "".join(
        f"山田　{n}郎,静岡県架空市本町{n}-{n + 3},090-{n:04}-{n * 7:04},昭和{n % 60 + 1}年{n % 12 + 1}月{n % 27 + 1}日\r\n"
        for n in range(12)
    )
).encode("cp932")[:SECTOR]


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def classes(data):
    return triage.classify(data)[0].tolist()


def test_random_bytes_are_random_like():
    assert set(classes(noise(8 << 20))) == {triage.RANDOM}


@pytest.mark.parametrize("encoding", ["cp932", "euc-jp", "utf-8", "utf-16-le", "iso2022_jp"])
def test_a_list_in_any_encoding_is_structured(encoding):
    sector = LIST.decode("cp932", "ignore").encode(encoding, "ignore")[:SECTOR]
    assert classes(sector.ljust(SECTOR, b"\0")) == [triage.STRUCTURED]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 63), st.sampled_from([bytes(SECTOR), b"\xff" * SECTOR, None]))
def test_one_plain_sector_among_others_is_seen(place, around):
    sectors = [noise(SECTOR, n) if around is None else around for n in range(64)]
    sectors[place] = LIST
    seen = classes(b"".join(sectors))
    assert [n for n, c in enumerate(seen) if c == triage.STRUCTURED] == [place]


@pytest.mark.parametrize(
    "fill", [b"\0", b"\xaa", b"\x92\x49\x24", b"\xde\xad\xbe\xef", b"12345678"]
)
def test_short_periods_are_fill(fill):
    expected = triage.ZERO if fill == b"\0" else triage.CONSTANT
    data = (fill * 4096)[: 4 * SECTOR]
    assert classes(data) == [expected] * 4


@given(st.binary(min_size=0, max_size=3 * SECTOR))
def test_runs_add_up_to_the_sectors(data):
    got, histogram = triage.classify(data)
    pairs = triage.runs(got)
    assert sum(n for _, n in pairs) == len(got) == -(-len(data) // SECTOR)
    assert int(histogram.sum()) == SECTOR * int(
        np.count_nonzero(got[: len(data) // SECTOR] == triage.RANDOM)
    )


def test_a_short_tail_is_never_taken_for_nothing():
    assert classes(b"\0" * 700) == [triage.ZERO, triage.ZERO]
    assert classes(bytes(SECTOR) + b"090-1234-5678") == [triage.ZERO, triage.STRUCTURED]
    assert classes(noise(SECTOR + 100)) == [triage.RANDOM, triage.RANDOM]


def test_compressed_bytes_are_not_uniform_over_megabytes():
    import zlib

    text = "".join(f"{random.Random(n).random()} {n * 7919} 架空\n" for n in range(60000)).encode()
    _, packed = triage.classify(zlib.compress(text, 9))
    _, even = triage.classify(noise(4 << 20))
    assert not triage.uniform(packed)
    assert triage.uniform(even)
