"""A certificate authority for one test, and a server's certificate of it."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def server_certificate(folder: Path, host: str, now: datetime) -> tuple[ssl.SSLContext, Path]:
    """What a server of this name shows, and the file of the authority that signed it."""
    authority, own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    signed_by = _name("an authority of the tests")
    root = _draft(signed_by, signed_by, authority, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
    leaf = _draft(_name(host), signed_by, own, now).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
    )
    authorities, chain = folder / "authorities.pem", folder / "server.pem"
    authorities.write_bytes(root.sign(authority, SHA256()).public_bytes(Encoding.PEM))
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(key + leaf.sign(authority, SHA256()).public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return context, authorities


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )
