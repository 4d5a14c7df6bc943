"""The report in a real browser: printed on A4, and fetching nothing."""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unicodedata import normalize

import pytest

from hakushi.assess.report import FileRow, View, render

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")

SIZE = 3_000_592_982_016
A4 = (595, 842)


def view(name: str) -> View:
    told = {
        "schema": "hakushi.assessment/1",
        "verdict": "residue",
        "severity": "grave",
        "reasons": ["Files and folders that can be restored: 903."],
        "scope": "drive",
        "not_reached": ["remapped sectors"],
        "not_looked_for": ["text in pictures"],
        "source": {"locator": "drive:x", "size": SIZE, "format": "raw"},
        "coverage": {"bytes": SIZE, "read": SIZE, "unreadable": 0, "sampled": None, "bound": None},
        "blocks": {"zero": SIZE, "constant": 0, "random_like": 0, "structured": 0, "unread": 0},
        "artifacts": {s: {"count": 301, "bytes": 10**9} for s in ("live", "deleted", "carved")},
        "encrypted": [],
        "findings": {"my_number": {"labelled": 12, "unlabelled": 3}},
        "people": None,
        "firms": None,
        "damage": [{"locator": "drive:x/part:1", "what": name}],
        "elapsed_s": 61.0,
    }
    files = [
        FileRow(f"{name}/{i}.xlsx", "drive:x", "xlsx", "live", i, True, {"my_number": 1}, ["1**8"])
        for i in range(60)
    ]
    owned = [(i * 10**10, 10**9, "deleted") for i in range(200)]
    return View("drive 7", told, [(0, SIZE, "zero")], owned, files, {}, "2026-07-01", "1", {})


def browse(page: Path, *options: str) -> str:
    """Runs the browser on a page, with a profile of its own."""
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    ended = subprocess.run(
        [*command, profile, *options, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout


@pytest.mark.parametrize(
    ("lang", "first"),
    [
        ("en", ["1. Verdict", "Residue", "Grave", "2. Key figures", "903"]),
        ("ja", ["判定", "残存あり", "重大", "主な数値", "903"]),
    ],
)
def test_the_first_printed_page_tells_the_verdict_and_the_figures(tmp_path, lang, first):
    from pypdf import PdfReader

    page = tmp_path / "report.html"
    page.write_text(render(view("名簿"), lang), "utf-8")
    browse(page, f"--print-to-pdf={tmp_path / 'report.pdf'}", "--no-pdf-header-footer")
    pages = PdfReader(tmp_path / "report.pdf").pages
    # A browser writes some characters as their look-alikes: ligatures, radicals.
    text = normalize("NFKC", pages[0].extract_text())
    assert [word for word in first if word not in text] == []
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in pages} == {A4}
    assert 4 <= len(pages) <= 9
    assert (tmp_path / "report.pdf").stat().st_size < 3_000_000


def test_hostile_names_fetch_nothing_and_run_nothing(tmp_path):
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        there = f"http://127.0.0.1:{server.server_port}"
        attack = (
            f'"><img src="{there}/img"><script src="{there}/js"></script>'
            f"<style>@import '{there}/css';</style><svg onload=document.title='ran'>"
        )
        page = tmp_path / "report.html"
        page.write_text(render(view(attack), "en"), "utf-8")
        seen = browse(page, "--dump-dom")
        asked_by_report = list(asked)
        # The page itself would have asked, had the attack been markup.
        page.write_text(f"<title>x</title>{attack}", "utf-8")
        browse(page, "--dump-dom")
    finally:
        server.shutdown()
        server.server_close()
    assert "<title>Assessment report" in seen
    assert "<img" not in seen
    assert asked_by_report == []
    assert "/img" in asked
