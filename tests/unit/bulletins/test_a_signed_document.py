"""A signature that other programs verify, and keys that cannot sign, told before anything is given out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.exceptions import InvalidSignature
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from services.bulletins.cap import cap, unsigned
from services.bulletins.issuer import Issuer, issuer_of
from services.bulletins.signing import Signer, SigningRefused
from services.bulletins.xml import XSD
from services.settings import Settings, SettingsRefused
from tests.support.bulletins import ISSUER, an_alert, read_cap, told_of, verify_by_xmlsec

KEY = ec.generate_private_key(ec.SECP256R1())


def pem(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alerts.example.org")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    return made.not_valid_after(datetime(2096, 1, 1, tzinfo=UTC)).sign(key, SHA256()).public_bytes(Encoding.PEM)


def signing(**more: object) -> Issuer:
    return Issuer(ISSUER.sender, ISSUER.sender_name, ISSUER.zone, restriction="x", signer=Signer(KEY, **more))  # type: ignore[arg-type]


def verified_by_signxml(document: bytes) -> etree._Element:
    config = SignatureConfiguration(require_x509=False, signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}))
    verified = XMLVerifier().verify(document, expect_config=config)
    assert isinstance(verified, VerifyResult)
    return verified.signed_xml


def test_a_signed_document_is_valid_and_two_implementations_verify_it() -> None:
    document = cap(told_of(an_alert(unit_name="<Ñ> & co")), [], signing())
    assert etree.XMLSchema(etree.parse(XSD)).validate(read_cap(document))
    assert verified_by_signxml(document).tag.endswith("alert")
    verify_by_xmlsec(document, KEY)


def test_a_document_that_was_changed_or_signed_by_another_is_verified_by_neither() -> None:
    document = cap(told_of(an_alert()), [], signing())
    changed = document.replace(b"Bubanza", b"Gihanga")
    assert changed != document
    with pytest.raises(InvalidSignature):
        verified_by_signxml(changed)
    with pytest.raises(xmlsec.Error):
        verify_by_xmlsec(changed, KEY)
    with pytest.raises(xmlsec.Error):
        verify_by_xmlsec(document, ec.generate_private_key(ec.SECP256R1()))


def test_a_certificate_goes_along_where_there_is_one() -> None:
    vouched = certificate(KEY)
    document = cap(told_of(an_alert()), [], signing(certificate=vouched.decode()))
    assert b"X509Certificate" in document
    assert isinstance(XMLVerifier().verify(document, x509_cert=vouched.decode()), VerifyResult)
    verify_by_xmlsec(document, KEY)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"not a key", "expected a private key on the curve P-256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "not another kind of key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "not another kind of key"),
    ],
)
def test_a_key_that_cannot_sign_is_told_by_its_file(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "signing.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SigningRefused, match=why) as refused:
        Signer.read(file)
    assert "signing.pem" in str(refused.value)


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    key.write_bytes(pem(KEY))
    other.write_bytes(certificate(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(SigningRefused, match="expected the certificate of the key"):
        Signer.read(key, other)
    other.write_bytes(b"nothing")
    with pytest.raises(SigningRefused, match=r"expected one X\.509 certificate"):
        Signer.read(key, other)
    other.write_bytes(certificate(KEY))
    assert Signer.read(key, other).certificate is not None


def test_the_settings_make_the_issuer_and_what_cannot_be_is_told(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(pem(KEY))
    made = issuer_of(Settings(cap_sender="alerts.example.org", cap_signing_key_file=key, cap_scope="Public"))
    assert (made.sender, made.scope, made.signer is not None) == ("alerts.example.org", "Public", True)
    assert issuer_of(Settings()).sender == Settings().source
    with pytest.raises(SettingsRefused, match="CAP_SENDER: expected"):
        issuer_of(Settings(source="urn:a, b"))
    with pytest.raises(SettingsRefused, match="CAP_SIGNING_KEY_FILE"):
        issuer_of(Settings(cap_certificate_file=key))
    for wrong in ({"cap_sender": "a,b"}, {"public_url": "alerts.example.org"}, {"cap_scope": "Private"}):
        with pytest.raises(ValueError, match=r"xpected|should be"):
            Settings.model_validate(wrong)


def test_what_is_signed_is_the_same_bytes_each_time_and_the_signature_is_not() -> None:
    told, issuer = told_of(an_alert()), signing()
    assert unsigned(told, [], issuer) == unsigned(told, [], issuer) == cap(told, [], replace(issuer, signer=None))
    assert cap(told, [], issuer) != cap(told, [], issuer)
