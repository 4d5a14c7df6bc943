"""A certificate as a PDF: it carries the certificate, its signature holds, a telephone reads it."""

import json
import shutil
import subprocess
import threading
import zlib
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from tests.certificates import FOLDER, POLICY, cases, certificate, good

from hakushi.app import certify, paper
from hakushi.app.words import set_language
from hakushi.certify import Certificate, check, code
from hakushi.certify.pdf import embedded
from hakushi.cli.main import main
from hakushi.ledger.policy import Policy
from hakushi.model import Malformed, Refused

TRUST = Policy.parse(POLICY.encode())


@pytest.fixture(autouse=True)
def settings_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    yield
    set_language(None)


def set_as_pdf(out: Path, made: Certificate, lang: str = "ja") -> bytes:
    set_language(lang)
    built = certify.Built(made, made.items[-1].index, check(made.encode(), TRUST))
    certify.written(built, out, certify.Signing(), lambda _: None)
    return out.read_bytes()


def tool(name: str, *words: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([name, *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(("lang", "title"), [("ja", "データ消去証明書"), ("en", "Certificate of")])
def test_the_page_says_what_the_certificate_says(tmp_path, lang, title):
    made = certificate(good())
    set_as_pdf(tmp_path / "c.pdf", made, lang)
    text = tool("pdftotext", "-layout", str(tmp_path / "c.pdf"), "-")
    for word in (title, "S1", "Made Up 1", "Bench KK", "Yamada Taro", "1,000 / 1,000"):
        assert word in text
    assert made.digest[:32] in text


def test_the_signature_is_valid_for_another_program(tmp_path):
    data = set_as_pdf(tmp_path / "c.pdf", certificate(good()))
    told = tool("pdfsig", "-nocert", str(tmp_path / "c.pdf"))
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    at = len(data) // 2
    (tmp_path / "bad.pdf").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert "Signature is Valid" not in tool("pdfsig", "-nocert", str(tmp_path / "bad.pdf"))


def test_the_pdf_carries_the_certificate_to_the_byte(tmp_path):
    made = certificate(good())
    data = set_as_pdf(tmp_path / "c.pdf", made)
    assert embedded(data) == made.encode() == (tmp_path / "c.json").read_bytes()
    tool("pdfdetach", "-saveall", "-o", str(tmp_path), str(tmp_path / "c.pdf"))
    assert (tmp_path / "certificate.json").read_bytes() == made.encode()


def test_the_command_checks_the_pdf(tmp_path, capsys):
    set_as_pdf(tmp_path / "c.pdf", certificate(good()))
    (tmp_path / "policy").write_text(POLICY)
    words = ("certificate", "check", str(tmp_path / "c.pdf"), "--policy", str(tmp_path / "policy"))
    assert main(["--lang", "en", *words]) == 0
    assert "S1: erased by bench" in capsys.readouterr().out


def test_the_code_is_read_back_from_the_page(tmp_path, capsys):
    made = certificate(good())
    set_as_pdf(tmp_path / "c.pdf", made)
    tool(
        "pdftoppm", "-r", "200", "-png", "-singlefile", str(tmp_path / "c.pdf"), str(tmp_path / "p")
    )
    (seen,) = zxingcpp.read_barcodes(Image.open(tmp_path / "p.png"))
    assert seen.text == code.of_certificate(made)
    read = code.read(seen.text, TRUST)
    assert read.checked.holds
    assert read.event.certificate == made.digest
    (tmp_path / "code.txt").write_text(seen.text)
    (tmp_path / "policy").write_text(POLICY)
    words = (
        "certificate",
        "check",
        str(tmp_path / "code.txt"),
        "--policy",
        str(tmp_path / "policy"),
    )
    assert main(["--lang", "en", *words]) == 0
    assert made.digest[:32] in capsys.readouterr().out


def test_a_character_that_the_font_lacks_does_not_stop_it(tmp_path):
    made = certificate(good(), claims=certify.Claims("Firm 𠮷 🏢 KK"))
    data = set_as_pdf(tmp_path / "c.pdf", made)
    assert embedded(data) == made.encode()
    assert "Firm 〓 〓 KK" in tool("pdftotext", str(tmp_path / "c.pdf"), "-")


def test_markup_in_a_word_is_only_a_word(tmp_path):
    hostile = '#panic("x") $x$ \\ *b* ] } " #read("/etc/passwd")'
    made = certificate(good(), claims=certify.Claims(hostile))
    set_as_pdf(tmp_path / "c.pdf", made)
    text = tool("pdftotext", "-layout", str(tmp_path / "c.pdf"), "-")
    assert '#panic("x")' in text
    assert "root:" not in text


def test_two_certificates_in_one_file_are_none(tmp_path):
    data = set_as_pdf(tmp_path / "c.pdf", certificate(good()))
    other = zlib.compress((FOLDER / "good-destroyed.json").read_bytes())
    both = data + b"\n9 0 obj\n<<>>\nstream\n" + other + b"\nendstream\n"
    with pytest.raises(Malformed, match="more than one"):
        embedded(both)


def test_a_bomb_is_bounded():
    bomb = zlib.compress(b'{"checkpoint":' + bytes(200 << 20))
    with pytest.raises(Malformed):
        embedded(b"%PDF-2.0\n" + (b"stream\n" + bomb + b"\nendstream\n") * 8)


PDF = b"%PDF-2.0\nstream\n" + zlib.compress((FOLDER / "good.json").read_bytes()) + b"\nendstream\n"


@given(at=st.integers(0, len(PDF) - 1), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_inside_a_pdf_is_found(at, bit):
    data = PDF[:at] + bytes([PDF[at] ^ 1 << bit]) + PDF[at + 1 :]
    try:
        inside = embedded(data)
    except Malformed:
        return
    if inside != (FOLDER / "good.json").read_bytes():
        assert not check(inside, TRUST).holds


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_base45_goes_both_ways(data):
    assert code.decode45(code.encode45(data)) == data


def test_base45_is_that_of_the_standard():
    """RFC 9285, section 4.3."""
    assert code.encode45(b"AB") == "BB8"
    assert code.encode45(b"Hello!!") == "%69 VD92EX0"
    assert code.decode45("QED8WEX0") == b"ietf!"
    for wrong in ("GGW", "A", "ab", "::::"):
        with pytest.raises(Malformed):
            code.decode45(wrong)


@given(st.text(max_size=80) | st.text(max_size=80).map(lambda one: code.PREFIX + one))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_no_code_is_malformed(text):
    with pytest.raises(Malformed):
        code.read(text, TRUST)


def test_a_key_that_cannot_sign_is_refused(tmp_path):
    made = certificate(good())
    built = certify.Built(made, 0, check(made.encode(), TRUST))
    for name, data in (("none.pem", b"-----BEGIN NOTHING"), ("junk.p12", b"junk")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused, match="no key and certificate"):
            certify.written(
                built, tmp_path / "c.pdf", paper.Signing(tmp_path / name), lambda _: None
            )
    assert not (tmp_path / "c.pdf").exists()


def test_a_lot_fits_on_its_pages(tmp_path):
    made = certificate(good())
    drives = [made.statement["drives"][0] | {"serial": f"S{n:05}"} for n in range(300)]
    lot = replace(made, statement=made.statement | {"drives": drives})
    told = paper.page(lot, check(made.encode(), TRUST), {"not_proven": [], "seal": ""})
    data = paper.pdf(lot, told)
    (tmp_path / "lot.pdf").write_bytes(data)
    text = tool("pdftotext", "-layout", str(tmp_path / "lot.pdf"), "-")
    assert "S00000" in text
    assert "S00299" in text
    assert json.loads(embedded(data))["statement"]["drives"][299]["serial"] == "S00299"


def test_the_vectors_are_many():
    """The page is tried with what the vectors hold that holds."""
    assert sum(kind is None for _, _, kind in cases()) == 3


TSA = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@pytest.fixture
def time_stamps(tmp_path):
    """A time-stamp server of openssl's; its address."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path / "tsa"
    folder.mkdir()
    (folder / "serial").write_text("01\n")
    (folder / "conf").write_text(TSA.format(folder=folder))
    make = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    use = ("-addext", "extendedKeyUsage=critical,timeStamping", "-days", "9", "-subj", "/CN=TSA")
    where = ("-keyout", str(folder / "key"), "-out", str(folder / "cert"))
    subprocess.run(["openssl", *make, *use, *where], check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            (folder / "query").write_bytes(self.rfile.read(length))
            words = ("-queryfile", "query", "-signer", "cert", "-inkey", "key", "-out", "reply")
            subprocess.run(
                ["openssl", "ts", "-reply", "-config", "conf", "-section", "one", *words],
                check=True, capture_output=True, cwd=folder,
            )  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write((folder / "reply").read_bytes())

        def log_message(self, *_words: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_a_time_stamp_is_asked_for_and_kept(tmp_path, time_stamps):
    made = certificate(good())
    built = certify.Built(made, made.items[-1].index, check(made.encode(), TRUST))
    signing = certify.Signing(None, time_stamps)
    certify.written(built, tmp_path / "c.pdf", signing, lambda _: None)
    with (tmp_path / "c.pdf").open("rb") as file:
        (one,) = PdfFileReader(file).embedded_signatures
        stamps = [a["type"].native for a in one.signer_info["unsigned_attrs"]]
        assert stamps == ["signature_time_stamp_token"]
    assert "Signature is Valid" in tool("pdfsig", "-nocert", str(tmp_path / "c.pdf"))


def test_a_server_of_time_that_is_away_stops_it(tmp_path):
    made = certificate(good())
    built = certify.Built(made, 0, check(made.encode(), TRUST))
    signing = certify.Signing(None, "http://127.0.0.1:9/")
    with pytest.raises(Refused, match="time stamp could not be got"):
        certify.written(built, tmp_path / "c.pdf", signing, lambda _: None)
    assert not (tmp_path / "c.pdf").exists()


def test_a_key_that_others_certified_is_named(tmp_path):
    """PKCS#12 with a chain; the page says who issued the certificate."""
    for name, words in {
        "ca": ("-x509", "-subj", "/CN=Prefecture CA", "-days", "9"),
        "bench": ("-subj", "/CN=Bench KK"),
    }.items():
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        where = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl(tmp_path, "req", *kind, *where, *words)
    ca = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9")
    openssl(tmp_path, "x509", "-req", "-in", "bench.pem", *ca, "-out", "bench.crt")
    words = ("-inkey", "bench.key", "-in", "bench.crt", "-certfile", "ca.pem", "-passout", "pass:")
    openssl(tmp_path, "pkcs12", "-export", *words, "-out", "bench.p12")
    made = certificate(good())
    built = certify.Built(made, made.items[-1].index, check(made.encode(), TRUST))
    set_language("en")
    signing = certify.Signing(tmp_path / "bench.p12")
    certify.written(built, tmp_path / "c.pdf", signing, lambda _: None)
    text = " ".join(tool("pdftotext", str(tmp_path / "c.pdf"), "-").split())
    assert "CN=Bench KK, issued by CN=Prefecture CA." in text
    assert "Common Name: Bench KK" in tool("pdfsig", "-nocert", str(tmp_path / "c.pdf"))


def openssl(folder: Path, *words: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
