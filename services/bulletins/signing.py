"""The signature of a CAP document: XML Signature, enveloped, as section 3.3.4.1 of CAP 1.2 has it.

ECDSA over P-256 with SHA-256 and exclusive canonicalization: what the libraries that verify such signatures all know.
Ed25519 is in none of the two that were tried (signxml 5.2, xmlsec 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner


class SigningRefused(Exception):
    """A key or certificate that cannot sign documents; the message says which file and what was expected."""


@dataclass(frozen=True)
class Signer:
    """Who signs: a private key, with its certificate where somebody vouches for it."""

    key: ec.EllipticCurvePrivateKey
    certificate: str | None = None

    @classmethod
    def read(cls, key_file: Path, certificate_file: Path | None = None) -> Signer:
        """From PEM files; raises SigningRefused."""
        key = _key(key_file)
        if certificate_file is None:
            return cls(key)
        pem = _bytes(certificate_file)
        try:
            certified = load_pem_x509_certificate(pem).public_key()
        except ValueError:
            raise SigningRefused(f"{certificate_file}: expected one X.509 certificate in PEM; correct it.") from None
        if _fingerprint(certified) != _fingerprint(key.public_key()):
            raise SigningRefused(
                f"{certificate_file}: expected the certificate of the key in {key_file}; name its own."
            )
        return cls(key, pem.decode("ascii"))

    @property
    def name(self) -> str:
        """Which key this is: signatures by one key differ each time, so what was signed is known by it."""
        return _fingerprint(self.key.public_key())

    def sign(self, document: etree._Element) -> etree._Element:
        """The same document with a signature as its last element."""
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        return signer.sign(document, key=self.key, cert=self.certificate)


def _key(file: Path) -> ec.EllipticCurvePrivateKey:
    expected = f"{file}: expected a private key on the curve P-256 in PEM, without a password"
    try:
        key = load_pem_private_key(_bytes(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningRefused(f"{expected}; make one with `openssl ecparam -name prime256v1 -genkey -noout`.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningRefused(f"{expected}, not another kind of key; make one with `openssl ecparam`.")
    return key


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as why:
        raise SigningRefused(f"{file} cannot be read ({why.strerror}); correct the setting or put it there.") from None


def _fingerprint(key: PublicKeyTypes) -> str:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]
