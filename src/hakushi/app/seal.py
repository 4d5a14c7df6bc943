"""The signature on a PDF: PAdES with P-256. Needs the part ``pdf``.

Poppler's ``pdfsig`` cannot read Ed25519 in PDFs, so the document has a key of its own.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from hakushi.app import keys
from hakushi.model import Message, Refused, message

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

_YEARS = 10
_LARGEST = 1 << 20
PASSWORD = "HAKUSHI_PDF_PASSWORD"  # noqa: S105 - the variable's name
"""Opens a PKCS#12 file."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A key, its certificate, and those above it."""

    key: EllipticCurvePrivateKey
    chain: tuple[Certificate, ...]

    @property
    def about(self) -> Message:
        """Whose certificate it is, and who issued it."""
        first = self.chain[0]
        subject, issuer = first.subject.rfc4514_string(), first.issuer.rfc4514_string()
        if subject == issuer:
            return message(
                "{subject}, issued by itself: it shows that the page was not changed, not who made"
                " it.",
                subject=subject,
            )
        return message("{subject}, issued by {issuer}.", subject=subject, issuer=issuer)


def find(path: Path | None, issuer: str) -> Seal:
    """The key in a PEM or PKCS#12 file; else the issuer's own, made and kept at first use."""
    if path is None:
        path = keys.settings_folder() / "pdf" / f"{re.sub('[^A-Za-z0-9.-]', '_', issuer)}.pem"
        if not path.exists():
            make(path, issuer)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError as error:
        why = error.strerror or "?"
        raise Refused(message("{path} cannot be read: {why}.", path=str(path), why=why)) from None
    return _parsed(path, data)


def _parsed(path: Path, data: bytes) -> Seal:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

    try:
        if b"-----BEGIN" in data:
            key: object = load_pem_private_key(data, None)
            chain = tuple(x509.load_pem_x509_certificates(data))
        else:
            password = os.environ.get(PASSWORD, "").encode() or None
            key, first, more = pkcs12.load_key_and_certificates(data, password)
            chain = (first, *more) if first is not None else ()
    except (ValueError, TypeError) as error:
        why = str(error)[:200]
        raise Refused(
            message(
                "{path} holds no key and certificate that can be opened: {why}. A PKCS#12 file's"
                " password comes from {variable}.",
                path=str(path),
                why=why,
                variable=PASSWORD,
            )
        ) from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1" or not chain:
        raise Refused(
            message("{path}: a P-256 key with its certificate is needed.", path=str(path))
        )
    if chain[0].public_key() != key.public_key():
        raise Refused(message("{path}: the certificate is of another key.", path=str(path)))
    return Seal(key, chain)


def make(path: Path, issuer: str) -> None:
    """A key with a certificate that nobody else vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer[:64])])
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    data = key.private_bytes(encoding, form, plain) + certificate.public_bytes(encoding)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def sign(document: BytesIO, seal: Seal, time_stamp: str | None) -> bytes:
    """Appends a PAdES signature; with an RFC 3161 time stamp where its server is named."""
    from cryptography.hazmat.primitives import serialization
    from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers, timestamps
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    pem = [one.public_bytes(serialization.Encoding.PEM) for one in seal.chain]
    chain = list(load_certs_from_pemder_data(b"".join(pem)))
    store = SimpleCertificateStore.from_certs(chain)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    der = seal.key.private_bytes(serialization.Encoding.DER, form, plain)
    signer = signers.SimpleSigner(
        signing_cert=chain[0],
        signing_key=load_private_key_from_pemder_data(der, passphrase=None),
        cert_registry=store,
    )
    stamper = timestamps.HTTPTimeStamper(time_stamp) if time_stamp else None
    meta = signers.PdfSignatureMetadata(
        field_name="Certificate",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
    )
    out = BytesIO()
    try:
        signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(
            IncrementalPdfFileWriter(document), output=out
        )
    except (OSError, timestamps.TimestampRequestError) as error:
        raise Refused(
            message(
                "The time stamp could not be got from {url}: {why}",
                url=str(time_stamp),
                why=str(error)[:200],
            )
        ) from None
    return out.getvalue()
