"""Ctrl-C: every drive stops at its next step, nothing is forgotten, the next run goes on."""

from __future__ import annotations

import signal
import threading

import pytest
from tests.lab_drives import SIZE, look, survivors

from hakushi.app.dispose import Options, dispose_all
from hakushi.media import simulated


def test_an_interrupt_stops_all_drives_and_is_raised_again(tmp_path):
    names = []
    for name in ("a", "b"):
        simulated.create(tmp_path / name, SIZE, serial=name)
        names.append(f"sim:{tmp_path / name}")
    options = Options(
        "nist-800-88r2-clear", erase=frozenset({"a", "b"}), evidence=tmp_path / "evidence"
    )
    sent = threading.Event()

    def say(step):
        if not sent.is_set() and step.done > SIZE // 2:
            sent.set()
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        dispose_all(names, options, look, say)
    done = dispose_all(names, options, look, lambda _: None)
    assert [d.code for d in done] == [0, 0]
    assert all(survivors(simulated.surface(tmp_path / n)) == 0 for n in "ab")
