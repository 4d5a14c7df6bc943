"""Raw bytes: mixed encodings, chunks, budgets, bytes that cannot be read."""

import random
import time
import tracemalloc

import pytest
from tests import found as each

from hakushi import detect
from hakushi.app import detect as app
from hakushi.detect import prefilter, windows
from hakushi.media import Memory
from hakushi.model import Damage, Extent, Finding, Locator, Unreadable

KEY = b"k"


def scan(data, **more):
    return list(each.scan(Memory(data, Locator.root("memory", "x")), KEY, **more))


def kinds(found):
    return sorted(f.kind for f in found if isinstance(f, Finding))


def test_one_sector_of_a_list_among_zeros_and_among_noise():

    rows = "氏名,フリガナ,電話番号\n山田　太郎,ヤマダ タロウ,03-3234-5678\n佐藤　花子,サトウ ハナコ,090-1234-5678\n"
    sector = rows.encode("cp932").ljust(512, b"\0")
    for fill in (bytes, random.Random(1).randbytes):
        data = fill(1 << 20) + sector + fill(1 << 20)
        found = kinds(scan(data))
        assert found == ["kana_name"] * 2 + ["person_name"] * 2 + ["phone"] * 2


def test_many_encodings_in_one_source():
    parts = [
        f"個人番号：123456789018\n氏名：山田太郎\n{e}\n".encode(e) + bytes(1000)
        for e in ("cp932", "utf-8", "euc_jp", "utf-16-le", "utf-16-be", "iso-2022-jp")
    ]
    assert kinds(scan(b"".join(parts))) == ["my_number"] * 6 + ["person_name"] * 6


def test_a_table_keeps_its_header_over_chunks():
    row = f"1,雲居　林檎,{'特記事項なし。' * 40}\n".encode("cp932")
    data = "番号,氏名,住所\n".encode("cp932") + row * (windows.CHUNK * 3 // len(row))
    source = Memory(data, Locator.root("memory", "x"))
    last = 0
    for found in each.scan(source, KEY):
        if isinstance(found, Finding) and found.kind == "person_name":
            last = max(last, found.extent.offset)
    assert last > windows.CHUNK * 2


def test_a_million_matches_are_bounded_and_said():
    data = ("ab@cd.jp " * 131072).encode()
    began = time.perf_counter()
    found = scan(data)
    assert time.perf_counter() - began < 60
    assert sum(isinstance(f, Finding) for f in found) <= windows.MOST * (
        1 + len(data) // windows.CHUNK
    )
    assert any(isinstance(f, Damage) and "not listed" in f.what for f in found)


@pytest.mark.parametrize(
    "unit", ["あ", "1", "１", "a", "山田様", "氏名：年", "〒", "0", "@", "-", ",", "電話"]
)
def test_one_long_line_is_read_in_bounded_time(unit):
    data = (unit * windows.CHUNK).encode("utf-8")[: windows.CHUNK * 5 // 4]
    began = time.process_time()
    for _ in each.scan(Memory(data, Locator.root("memory", "x")), KEY):
        pass
    assert time.process_time() - began < 20


class Endless:
    """A source of any size that repeats one line, without the memory."""

    locator = Locator.root("memory", "endless")

    def __init__(self, line, size):
        self.block, self.size = (
            line * (windows.CHUNK * 2 // len(line)),
            size // len(line) * len(line),
        )
        self.line = len(line)

    def read(self, extent):
        start = extent.offset % self.line
        return self.block[start : start + min(extent.end, self.size) - extent.offset]


def test_memory_does_not_grow_with_the_source():
    def peak(size):
        tracemalloc.start()
        for _ in each.scan(Endless("年度の予算を審議する。".encode("cp932"), size), KEY):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1 << 20)
    assert peak(12 << 20) < peak(3 << 20) + (8 << 20)


class Broken:
    """A source whose second quarter cannot be read."""

    def __init__(self, data):
        self.data, self.size, self.locator = data, len(data), Locator.root("memory", "x")

    def read(self, extent):
        bad = Extent(self.size // 4, self.size // 4)
        if extent.offset < bad.end and bad.offset < extent.end:
            raise Unreadable(extent, "a test says so")
        return self.data[extent.offset : extent.end]


def test_what_cannot_be_read_is_damage_and_the_rest_is_searched():
    line = "個人番号：123456789018\n".encode("cp932")
    found = list(each.scan(Broken(line * 4096), KEY))
    assert any(isinstance(f, Damage) and f.what.startswith("unreadable") for f in found)
    offsets = [f.extent.offset for f in found if isinstance(f, Finding)]
    assert min(offsets) < len(line) * 1024 < len(line) * 2048 < max(offsets)


def test_the_slow_search_finds_the_same(monkeypatch):
    data = bytes(2000) + "個人番号：123456789018\nTEL 03-3234-5678\n".encode("euc_jp") + bytes(2000)
    fast = scan(data)
    monkeypatch.setitem(prefilter._ready, "it", prefilter.slow())
    assert scan(data) == fast
    assert len(fast) == 2


def test_a_kept_database_is_loaded_and_a_spoilt_one_made_anew(tmp_path):
    path = tmp_path / "database"
    detect.warm(path)
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"x")
    detect.warm(path)
    assert path.read_bytes() == kept
    assert kinds(scan("個人番号：123456789018".encode("cp932"))) == ["my_number"]


def test_noise_has_no_labelled_findings():

    assert scan(random.Random(2).randbytes(4 << 20)) == []


def test_a_given_encoding_is_believed():
    data = "ﾌﾘｶﾞﾅ:ﾔﾏﾀﾞ ﾀﾛｳ".encode("cp932")
    assert kinds(scan(data, encoding="cp932")) == ["kana_name"]


def test_noise_that_is_handed_over_as_a_file_tells_of_nobody():
    """Read as text in any encoding it has names in it now and then, amid what no text has."""
    noise = random.Random(11).randbytes(3 << 20)
    assert any(span.kind == "firm_name" for span in detect.spans(detect.decode(noise), KEY))
    assert app.run("noise", noise, None).rows == ()


def test_chance_words_of_noise_are_no_findings() -> None:
    noise = random.Random(6).randbytes(700)
    age = "f典".encode("euc_jp") + "5歳".encode("euc_jp") + b"df\xec"
    for chance in (b"\x1bRsK@vYb.MU\xfe*", b"\x01hay@69.VE\xe0", age):
        assert not app.run("noise", noise + chance + noise, None).rows
    for real in (b"\x01taro@Example.CO.JP\x02", b"\0taro@example.co.jp\0"):
        assert len(app.run("piece", noise + real + noise, None).rows) == 1
