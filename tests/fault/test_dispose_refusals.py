"""What is not erased, and that nothing of it was touched."""

from __future__ import annotations

import pytest
from tests.lab_drives import SIZE, look, survivors, virtual

from hakushi.app.dispose import Options, disposals_json, dispose_all, plan_all, plan_json
from hakushi.media import simulated
from hakushi.model import Refused

ALL = SIZE // 512


def _dispose(names, tmp_path, policy="nist-800-88r2-clear", **more):
    options = Options(policy, evidence=tmp_path / "evidence", **more)
    return dispose_all([str(n) for n in names], options, look, lambda _: None)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"erase": frozenset({"V2"})},
        {"erase": frozenset({"V1", "V2"})},
        {"erase": frozenset({"V1"}), "technique": "magic"},
        {"erase": frozenset({"V1"}), "policy": "no-such-policy"},
    ],
)
def test_nothing_is_erased_without_the_right_words(tmp_path, more):
    virtual(tmp_path / "d")
    (done,) = _dispose([f"sim:{tmp_path / 'd'}"], tmp_path, **more)
    assert (done.outcome, done.verdict, done.code) == ("refused", None, 5)
    assert done.reasons
    assert survivors(simulated.surface(tmp_path / "d")) == ALL
    assert not (tmp_path / "evidence").exists()


def test_two_drives_that_say_the_same_serial_are_both_refused(tmp_path):
    for name in "ab":
        virtual(tmp_path / name)
    done = _dispose([f"sim:{tmp_path / n}" for n in "ab"], tmp_path, erase=frozenset({"V1"}))
    assert [d.outcome for d in done] == ["refused", "refused"]
    assert all(survivors(simulated.surface(tmp_path / n)) == ALL for n in "ab")


def test_one_bad_name_does_not_stop_the_other_drive(tmp_path):
    virtual(tmp_path / "d")
    names = [tmp_path / "missing", f"sim:{tmp_path / 'd'}", tmp_path]
    done = _dispose(names, tmp_path, erase=frozenset({"V1"}))
    assert [d.outcome for d in done] == ["refused", "completed", "refused"]
    plain = disposals_json(done)
    assert plain["schema"] == "hakushi.disposal/1"
    assert all("verdict" in drive and drive["reasons"] for drive in plain["drives"])


def test_a_file_is_erased_only_as_an_image(tmp_path):
    image = tmp_path / "a.img"
    image.write_bytes(b"old" * 1001)
    (done,) = _dispose([image], tmp_path, erase=frozenset({"a.img"}))
    assert done.code == 5
    assert image.read_bytes() == b"old" * 1001
    (done,) = _dispose([image], tmp_path, erase=frozenset({"a.img"}), image=True)
    assert done.code == 0
    assert image.read_bytes() == bytes(3003)


@pytest.mark.parametrize(
    ("people", "code"),
    [((None, None), 5), (("a", None), 5), (("a", " A "), 5), (("a", "b"), 0)],
)
def test_two_people_where_the_policy_asks_for_two(tmp_path, people, code):
    from hakushi.sanitize import policy as home

    shipped = (home._FOLDER / "nist-800-88r2-clear.toml").read_text()
    path = tmp_path / "two.toml"
    path.write_text(shipped.replace("operators = 0", "operators = 2"))
    virtual(tmp_path / "d")
    (done,) = _dispose(
        [f"sim:{tmp_path / 'd'}"],
        tmp_path,
        policy=str(path),
        erase=frozenset({"V1"}),
        operator=people[0],
        second_operator=people[1],
    )
    assert done.code == code


def test_evidence_that_cannot_be_kept_refuses_before_anything_is_written(tmp_path):
    virtual(tmp_path / "d")
    (tmp_path / "evidence").write_text("in the way")
    (done,) = _dispose([f"sim:{tmp_path / 'd'}"], tmp_path, erase=frozenset({"V1"}))
    assert done.code == 5
    assert survivors(simulated.surface(tmp_path / "d")) == ALL


def test_what_cannot_be_assessed_afterwards_has_no_verdict(tmp_path):
    def refuse(_name, _case, _say):
        from hakushi.model import message

        raise Refused(message("gone"))

    virtual(tmp_path / "d")
    options = Options("nist-800-88r2-clear", erase=frozenset({"V1"}), evidence=tmp_path / "e")
    (done,) = dispose_all([f"sim:{tmp_path / 'd'}"], options, refuse, lambda _: None)
    assert (done.outcome, done.verdict, done.code) == ("completed", None, 4)


def test_a_bug_in_one_drive_is_told_and_the_others_go_on(tmp_path):
    virtual(tmp_path / "a")
    simulated.create(tmp_path / "b", SIZE, serial="V2")

    def broken(name, case, say):
        if name.endswith("a"):
            raise ZeroDivisionError
        return look(name, case, say)

    options = Options("nist-800-88r2-clear", erase=frozenset({"V1", "V2"}), evidence=tmp_path / "e")
    done = dispose_all([f"sim:{tmp_path / n}" for n in "ab"], options, broken, lambda _: None)
    assert [d.code for d in done] == [1, 0]
    assert done[0].outcome == "unknown"


def test_the_plan_touches_nothing_and_tells_what_stands_against_it(tmp_path):
    virtual(tmp_path / "d")
    image = tmp_path / "a.img"
    image.write_bytes(b"old")
    options = Options("nist-800-88r2-clear", evidence=tmp_path / "evidence")
    plans = plan_all([f"sim:{tmp_path / 'd'}", str(image), str(tmp_path / "missing")], options)
    told = plan_json(plans)["drives"]
    assert [one["technique"] for one in told] == ["overwrite", "overwrite", None]
    assert [one["refused"] is None for one in told] == [True, False, False]
    assert survivors(simulated.surface(tmp_path / "d")) == ALL
    assert image.read_bytes() == b"old"
    assert not (tmp_path / "evidence").exists()


def test_the_evidence_tells_everything(tmp_path):
    import json

    virtual(tmp_path / "d")
    (done,) = _dispose(
        [f"sim:{tmp_path / 'd'}"], tmp_path, erase=frozenset({"V1"}), operator="inventory-17"
    )
    assert done.evidence.stat().st_mode & 0o777 == 0o600
    told = json.loads(done.evidence.read_text())
    assert told["drive"]["serial"] == "V1"
    assert told["operators"] == ["inventory-17"]
    assert [p["fill"] for p in told["passes"]] == ["keystream", "zeros"]
    assert (told["outcome"], told["verdict"]) == ("completed", "clean")
    assert not list((tmp_path / "evidence").glob("*.key"))
