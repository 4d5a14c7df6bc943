"""What other programs' reports claim: read, shown, recorded, and never taken for an erasure."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.format_samples import pdf

from hakushi.app import claims as verb
from hakushi.custody.claims import Claim, read, read_pages
from hakushi.model import Malformed, Refused

NWIPE = b"""[2024/03/04 21:41:01]  notice: nwipe 0.34
[2024/03/04 21:41:01]  notice: Found /dev/sda, ATA EXAMPLE-500, 500GB, S/N=EX0001
[2024/03/04 21:41:01]  notice: Found /dev/sdb, ATA EXAMPLE-500, 500GB, S/N=EX0002
[2024/03/04 21:41:12]  notice: Invoking method 'PRNG Stream' on /dev/sda
[2024/03/04 21:41:12]  notice: Invoking method 'PRNG Stream' on /dev/sdb

******************************** Error Summary *********************************
! Device | Pass Errors | Verifications Errors |
--------------------------------------------------------------------------------
     sda |           0 |                    0 |
     sdb |           3 |                    0 |
********************************************************************************

********************************* Drive Status *********************************
! Device | Status | Thru-put | HH:MM:SS | Model/Serial Number
--------------------------------------------------------------------------------
     sda | Erased |  91 MB/s | 01:30:01 | EXAMPLE-500/EX0001
!    sdb |-FAILED-|  31 MB/s | 00:00:01 | EXAMPLE-500/EX0002
--------------------------------------------------------------------------------
"""
BLANCCO = b"""<?xml version="1.0" encoding="UTF-8"?>
<root><report><blancco_data><description><document_log><log_entry><author>
<product_name id="1">Blancco Drive Eraser</product_name><product_version>7.4.0</product_version>
</author></log_entry></document_log></description><blancco_erasure_report>
<entries name="erasures"><entries name="erasure">
<entry name="erasure_standard_name" type="string">NIST 800-88 Purge</entry>
<entry name="state" type="string">Successful</entry>
<entries name="target"><entry name="model" type="string">EXAMPLE-SSD</entry>
<entry name="serial" type="string">EX0003</entry></entries></entries>
<entries name="erasure"><entry name="state" type="string">Failed</entry>
<entries name="target"><entry name="serial" type="string">EX0004</entry></entries></entries>
</entries></blancco_erasure_report></blancco_data></report></root>"""
NVME = b'{"nvme0n1":{"sprog":65535,"sstat":{"media_verification_canceled":0,"status":"1"}}}'
HDPARM = b"""
/dev/sdc:
Issuing SANITIZE_STATUS command
Sanitize status:
    State:    SD0 Sanitize Idle
    Last Sanitize Operation Completed Without Error
"""


def test_each_drive_of_an_nwipe_log_and_what_was_said_of_it():
    assert read(NWIPE) == (
        Claim("nwipe 0.34", "EX0001", "Erased", True, "ATA EXAMPLE-500, 500GB", "PRNG Stream"),
        Claim("nwipe 0.34", "EX0002", "FAILED", False, "ATA EXAMPLE-500, 500GB", "PRNG Stream"),
    )


def test_each_erasure_of_a_blancco_report():
    tool = "Blancco Drive Eraser 7.4.0"
    assert read(BLANCCO) == (
        Claim(tool, "EX0003", "Successful", True, "EXAMPLE-SSD", "NIST 800-88 Purge"),
        Claim(tool, "EX0004", "Failed", False),
    )


def test_programs_that_ask_a_drive():
    assert read(NVME) == (Claim("nvme-cli", "nvme0n1", "sanitize status 1", True),)
    [one] = read(HDPARM)
    assert (one.tool, one.serial, one.success) == ("hdparm", "/dev/sdc", True)
    [one] = read(b'{"smartctl":{"version":[7,3]},"serial_number":"EX9","model_name":"M"}')
    assert (one.tool, one.serial, one.success) == ("smartctl 7.3", "EX9", None)


@pytest.mark.parametrize("report", [NWIPE, BLANCCO, NVME, HDPARM])
def test_no_claim_is_ever_an_erasure_that_was_completed(report):
    for one in read(report):
        assert verb.outcome(one) in ("unknown", "failed")
        assert "completed" not in json.dumps(verb.claim_json(one, "00"))


def test_entities_of_a_hostile_report_are_not_resolved(tmp_path):
    (tmp_path / "secret").write_text("secret")
    hostile = BLANCCO.replace(
        b"<root>",
        b'<!DOCTYPE root [<!ENTITY x SYSTEM "file://%s">]><root>'
        % str(tmp_path / "secret").encode(),
    ).replace(b"EX0003", b"&x;")
    assert "secret" not in repr(read(hostile))


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"{}", b"[1]", b"<blancco", b"Drive Status notice:"]
)
def test_what_is_no_report_is_refused(tmp_path, text):
    path = tmp_path / "report"
    path.write_bytes(text)
    with pytest.raises(Refused):
        verb.of(path)
    with pytest.raises(Refused):
        verb.of(tmp_path / "missing")


@given(st.sampled_from([NWIPE, BLANCCO, NVME, HDPARM]), st.data())
def test_a_torn_report_is_malformed_or_claims_less(report, data):
    torn = bytearray(report)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(torn) - 1))
        torn[at] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(torn[: data.draw(st.integers(1, len(torn)))]))
    except Malformed:
        return
    assert all(len(one.said) <= 200 and len(one.serial) <= 200 for one in found)


def nwipe_pdf(status: str, serial: str = "EX0003") -> bytes:
    """A report laid out as nwipe 0.42 lays it out: the same words at the same places."""
    shown = [
        (195, 765, "Disk Erasure Report"),
        (244, 718, " Disk Model: EXAMPLE-500 "),
        (244, 703, f" Disk S/N: {serial} "),
        (60, 310, "Start time:"),
        (120, 310, "2026/11/29 17:40:47"),
        (300, 310, "End time:"),
        (60, 290, "Duration:"),
        (300, 290, "Status:"),
        (365, 290, status),
        (60, 270, "Method:"),
        (110, 270, "Fill With Zeros"),
        (300, 270, "PRNG algorithm:"),
        (200, 20, "Disc Erasure by NWIPE version 0.42"),
    ]
    stream = "".join(f"BT /F1 12 Tf {x} {y} Td ({text}) Tj ET\n" for x, y, text in shown)
    return pdf(stream=stream.encode())


@pytest.mark.parametrize(
    ("status", "success", "outcome"),
    [("ERASED", True, "unknown"), ("FAILED", False, "failed"), ("ABORTED", False, "failed")],
)
def test_an_nwipe_pdf_and_what_was_said_of_its_drive(tmp_path, status, success, outcome):
    (tmp_path / "report.pdf").write_bytes(nwipe_pdf(status))
    (found,), _ = verb.of(tmp_path / "report.pdf")
    assert found == Claim("nwipe 0.42", "EX0003", status, success, "EXAMPLE-500", "Fill With Zeros")
    assert verb.outcome(found) == outcome


@pytest.mark.parametrize(
    "data",
    [nwipe_pdf("ERASED", "Unknown"), pdf(), b"%PDF-1.4\nnonsense", nwipe_pdf("ERASED")[:300]],
)
def test_a_pdf_without_a_drive_is_refused(tmp_path, data):
    (tmp_path / "report.pdf").write_bytes(data)
    with pytest.raises(Refused):
        verb.of(tmp_path / "report.pdf")


@given(st.text(max_size=400))
def test_any_text_is_a_claim_or_malformed(text):
    try:
        (found,) = read_pages(f"Erasure by NWIPE version 1 Status: X\nDisk S/N: A\n{text}")
    except Malformed:
        return
    assert found.success in (True, False, None)


def test_a_claim_in_the_log_leaves_a_drive_as_it_was(tmp_path, monkeypatch, capsys):
    from hakushi.cli.main import main

    monkeypatch.setenv("HAKUSHI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("nwipe.log").write_bytes(NWIPE)

    def run(*words: str) -> int:
        try:
            return int(main(["--lang", "en", *words]) or 0)
        except SystemExit as error:
            return int(error.code or 0)

    assert run("claims", "nwipe.log", "--json", "claims.json") == 0
    told = json.loads(Path("claims.json").read_text())
    assert [one["outcome"] for one in told["claims"]] == ["unknown", "failed"]
    assert "nobody here saw it" in capsys.readouterr().out
