"""Laws of every Engine: each unit ends once, a dead worker takes only its own unit with it."""

import os
import signal
import subprocess
import sys

import pytest

from hakushi.fleet.here import Here, Inline

ENGINES = {"here": lambda: Here(2), "inline": Inline}


def count(unit):
    for n in range(unit):
        yield (unit, n)


def fragile(unit):
    yield "began"
    if unit == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if unit == 4:
        raise ValueError("a bug")
    if unit == 5:
        raise MemoryError


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_every_unit_ends_with_exactly_one_last_piece(make):
    pieces = list(make().run(count, range(1, 8)))
    assert sorted(p.unit for p in pieces if p.last) == list(range(1, 8))
    for unit in range(1, 8):
        mine = [p for p in pieces if p.unit == unit]
        assert [p.value for p in mine] == [(unit, n) for n in range(unit)] + [None]
        assert mine[-1].last
        assert mine[-1].failed is None


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_no_units_no_pieces(make):
    assert list(make().run(count, [])) == []


def test_a_dead_worker_takes_only_its_own_unit(caplog):
    last = {p.unit: p.failed for p in Here(2).run(fragile, range(8)) if p.last}
    assert sorted(last) == list(range(8))
    assert {u for u, why in last.items() if why} == {3, 4, 5}
    assert "died" in last[3]
    assert "ValueError" in last[4]
    assert "memory" in last[5]
    assert "Traceback" in caplog.text


def test_a_hanging_unit_is_given_up():
    last = {p.unit: p.failed for p in Here(1, patience=1.5).run(hang, [1, 2]) if p.last}
    assert last == {1: "out of time", 2: None}


def hang(unit):
    if unit == 1:
        signal.pause()
    yield unit


def test_closing_stops_all_work():
    run = Here(2).run(count, iter(range(1, 10**9)))
    next(run)
    run.close()


def test_workers_that_cannot_begin_end_the_run_and_do_not_try_for_ever(caplog):
    with pytest.raises(RuntimeError, match="die before"):
        list(Here(2, begin=cannot).run(count, range(10**6)))
    assert "cannot be" in caplog.text


@pytest.mark.parametrize(("module", "there"), [("colorsys", True), ("no_such_module", False)])
def test_workers_begin_with_what_was_prepared(tmp_path, module, there):
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\nfrom hakushi.fleet.here import Here, prepare\n"
        "def look(unit):\n    yield unit in sys.modules\n"
        "if __name__ == '__main__':\n"
        f"    prepare({module!r})\n"
        f"    print([p.value for p in Here(1).run(look, [{module!r}]) if not p.last])\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == f"[{there}]"


def cannot():
    raise ValueError("cannot be")
