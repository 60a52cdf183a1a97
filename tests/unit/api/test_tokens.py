"""Tokens: who somebody is, as a key says that is known now; nothing else is believed, and nothing is said of why."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from events.vocabulary import Role
from services.api import rotation, tokens
from services.api.rotation import KeyInUse
from services.api.tokens import (
    LEEWAY,
    LONGEST_LIFE,
    Bearer,
    Parties,
    TokenIssuer,
    TokenKeys,
    TokenKeysRefused,
    TokenRefused,
)
from services.area import EVERYWHERE, Area

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PERSON = uuid4()
HOUR = timedelta(hours=1)


def key(kid: str) -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"})


OLD, NEW, STRANGE = key("old"), key("new"), key("old")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "keys.json", [OLD])


@pytest.fixture
def keys(file: Path) -> TokenKeys:
    return TokenKeys.read(file, look_seconds=0)


def write(file: Path, keys: Sequence[OKPKey], private: bool = False) -> Path:
    """Put another file there, as somebody who changes keys does."""
    return put(file, json.dumps({"keys": [one.as_dict(private=private) for one in keys]}).encode())


def put(file: Path, content: bytes) -> Path:
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    return draft.replace(file)


def token(by: OKPKey = OLD, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    said = {
        "iss": "intabaza",
        "aud": "intabaza",
        "sub": str(PERSON),
        "role": "reviewer",
        "area": "*",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + HOUR).timestamp()),
    } | claims
    kept = {name: value for name, value in said.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older name of the algorithm
        return jwt.encode(header or {"alg": "Ed25519", "kid": by.kid}, kept, by, algorithms=["Ed25519", "EdDSA"])


def forged(header: dict[str, Any], signature: bytes = b"") -> str:
    """A token that no library would make."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    claims = token().split(".")[1]
    return f"{part(json.dumps(header).encode())}.{claims}.{part(signature)}"


def test_a_token_says_who_in_which_role_and_where(keys: TokenKeys) -> None:
    assert keys.verify(token(), NOW) == Bearer(PERSON, Role.REVIEWER, EVERYWHERE)
    assert keys.verify(token(area=["bi:c2015:gihanga"]), NOW).area == Area(frozenset({"bi:c2015:gihanga"}))
    assert keys.verify(token(area=None), NOW).area == Area(frozenset()), "no area is nowhere"
    recipient = keys.verify(token(role="recipient", recipient="clinic", area=[]), NOW)
    assert (recipient.role, recipient.recipient) == (Role.RECIPIENT, "clinic")
    assert str(PERSON) not in repr(recipient)


def test_a_token_may_be_for_several_of_whom_we_are_one(keys: TokenKeys) -> None:
    assert keys.verify(token(aud=["archive", "intabaza"]), NOW).person_id == PERSON


def test_another_deployment_has_another_issuer_and_audience(file: Path) -> None:
    parties = Parties("urn:example:issuer", "urn:example:network")
    keys = TokenKeys.read(file, look_seconds=0, parties=parties)
    assert keys.verify(token(iss=parties.issuer, aud=parties.audience), NOW).person_id == PERSON
    with pytest.raises(TokenRefused, match="`iss`"):
        keys.verify(token(), NOW)
    issued = TokenIssuer(OLD, parties).issue(Bearer(PERSON, Role.REVIEWER, EVERYWHERE), NOW, HOUR)
    assert keys.verify(issued, NOW).person_id == PERSON


def test_a_key_is_rotated_in_two_steps_while_the_api_runs(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "keys.json"
    bearer = Bearer(PERSON, Role.REVIEWER, EVERYWHERE)
    old = TokenIssuer.find_or_make(file).issue(bearer, NOW, HOUR)
    keys = TokenKeys.read(file, look_seconds=0)
    (first,) = rotation.keys_in_use(file)
    second = rotation.add(file)
    new = TokenIssuer.find_or_make(file).issue(bearer, NOW, HOUR)
    assert rotation.keys_in_use(file) == [KeyInUse(first.kid, signs=False), KeyInUse(second, signs=True)]
    assert keys.verify(old, NOW) == keys.verify(new, NOW) == bearer
    rotation.retire(file, first.kid)
    with pytest.raises(TokenRefused, match="signature"):
        keys.verify(old, NOW)
    assert keys.verify(new, NOW) == bearer
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_the_only_key_and_one_that_is_not_there_are_not_retired(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "keys.json"
    TokenIssuer.find_or_make(file)
    (only,) = rotation.keys_in_use(file)
    for kid, why in ((only.kid, "only key"), ("strange", only.kid)):
        with pytest.raises(TokenKeysRefused, match=why):
            rotation.retire(file, kid)
    assert rotation.keys_in_use(file) == [only]
    with pytest.raises(TokenKeysRefused, match="cannot be read"):
        rotation.add(tmp_path / "none.json")


def test_the_older_name_of_the_algorithm_is_taken_too(keys: TokenKeys) -> None:
    assert keys.verify(token(header={"alg": "EdDSA", "kid": "old"}), NOW).person_id == PERSON


def test_a_token_ends_when_it_says_also_where_it_was_remembered(keys: TokenKeys) -> None:
    sent = token()
    last = NOW + HOUR + LEEWAY
    assert keys.verify(sent, last - timedelta(seconds=1)).person_id == PERSON
    with pytest.raises(TokenRefused, match="it has ended"):
        keys.verify(sent, last)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("", "signature"),
        ("nonsense", "signature"),
        ("a.b.c", "signature"),
        (forged({"alg": "none"}), "signature"),
        (forged({"alg": "none", "kid": "old"}), "signature"),
        (forged({"alg": "None", "kid": "old"}), "signature"),
        (token(STRANGE), "signature"),
        (token(NEW), "signature"),
        (token()[:-2], "signature"),
        (token(header={"alg": "Ed25519"}), "kid"),
        ("x" * 5_000, "too long"),
        (token(iat=int((NOW + HOUR).timestamp()), exp=int((NOW + 2 * HOUR).timestamp())), "has not begun"),
        (token(exp=int((NOW + LONGEST_LIFE + HOUR).timestamp())), "lives longer"),
        (token(nbf=int((NOW + timedelta(minutes=30)).timestamp())), "has not begun"),
        (token(nbf="soon"), "`nbf` is missing"),
        (token(exp=int((NOW - HOUR).timestamp())), "ends before it begins"),
        (token(exp=None), "`exp` is missing"),
        (token(iat=None), "`iat` is missing"),
        (token(iat=True), "`iat` is missing"),
        (token(exp="tomorrow"), "`exp` is missing"),
        (token(exp=10**300), "`exp` is no moment"),
        (token(iss=None), "`iss`"),
        (token(iss="somebody else"), "`iss`"),
        (token(iss=["intabaza"]), "`iss`"),
        (token(aud=None), "`aud`"),
        (token(aud="intabaza-payroll"), "`aud`"),
        (token(aud=["payroll", "archive"]), "`aud`"),
        (token(aud={"intabaza": 1}), "`aud`"),
        (token(sub=None), "`sub`"),
        (token(sub="aline"), "`sub`"),
        (token(role="system"), "`role`"),
        (token(role="emperor"), "`role`"),
        (token(role=None), "`role`"),
        (token(area="bi"), "`area`"),
        (token(area=[1]), "`area`"),
        (token(area=["bi','*"]), "`area`"),
        (token(area=["bi,bi:p2015:bubanza"]), "`area`"),
        (token(area=["*"]), "`area`"),
        (token(role="recipient"), "`recipient`"),
        (token(role="recipient", recipient="x' or true"), "`recipient`"),
        (token(recipient="clinic"), "`recipient`"),
        (token(recipient=7), "`recipient`"),
    ],
)
def test_nothing_else_is_believed(keys: TokenKeys, sent: str, why: str) -> None:
    with pytest.raises(TokenRefused, match=why) as refused:
        keys.verify(sent, NOW)
    assert not sent or sent[:20] not in str(refused.value)


def test_a_public_key_is_no_shared_secret(keys: TokenKeys) -> None:
    """The old attack: HS256 with the public key as the secret, in each way in which it might be spelt."""
    public = OLD.as_dict(private=False)
    for secret in (str(public["x"]).encode(), OLD.as_pem(private=False), json.dumps(public).encode()):
        unsigned = forged({"alg": "HS256", "kid": "old"}).rpartition(".")[0]
        mac = base64.urlsafe_b64encode(digest(secret, unsigned.encode(), sha256)).decode().rstrip("=")
        with pytest.raises(TokenRefused, match="signature"):
            keys.verify(f"{unsigned}.{mac}", NOW)


def test_a_key_that_is_added_is_taken_without_a_restart(keys: TokenKeys, file: Path) -> None:
    with pytest.raises(TokenRefused):
        keys.verify(token(NEW), NOW)
    write(file, [OLD, NEW])
    assert keys.verify(token(NEW), NOW).person_id == PERSON
    assert keys.verify(token(OLD), NOW).person_id == PERSON


def test_what_a_removed_key_signed_ends_at_once(keys: TokenKeys, file: Path) -> None:
    write(file, [OLD, NEW])
    old, new = token(OLD), token(NEW)
    assert keys.verify(old, NOW).person_id == PERSON
    assert keys.verify(new, NOW).person_id == PERSON
    write(file, [NEW])
    with pytest.raises(TokenRefused, match="signature"):
        keys.verify(old, NOW)
    assert keys.verify(new, NOW).person_id == PERSON


def test_another_key_under_a_known_kid_is_another_key(keys: TokenKeys, file: Path) -> None:
    old = token(OLD)
    assert keys.verify(old, NOW).person_id == PERSON
    write(file, [STRANGE])
    with pytest.raises(TokenRefused):
        keys.verify(old, NOW)
    assert keys.verify(token(STRANGE), NOW).person_id == PERSON


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0"}]}']
)
def test_while_the_file_cannot_be_used_what_was_read_last_stands(keys: TokenKeys, file: Path, content: bytes) -> None:
    put(file, content)
    assert keys.verify(token(OLD), NOW).person_id == PERSON
    with pytest.raises(TokenKeysRefused):
        TokenKeys.read(file)
    file.unlink()
    assert keys.verify(token(OLD), NOW).person_id == PERSON
    write(file, [NEW])
    with pytest.raises(TokenRefused):
        keys.verify(token(OLD), NOW)


def test_a_file_of_keys_without_kids_of_their_own_is_refused(file: Path) -> None:
    for wrong in ([OLD, STRANGE], [OKPKey.generate_key("X25519", {"kid": "other curve"})]):
        with pytest.raises(TokenKeysRefused, match="kid"):
            TokenKeys.read(write(file, wrong))
    nameless = {name: value for name, value in OLD.as_dict(private=False).items() if name != "kid"}
    with pytest.raises(TokenKeysRefused, match="kid"):
        TokenKeys.read(put(file, json.dumps({"keys": [nameless]}).encode()))


def test_who_sends_ever_new_tokens_fills_no_memory(monkeypatch: pytest.MonkeyPatch, keys: TokenKeys) -> None:
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 3)
    for number in range(10):
        keys.verify(token(jti=str(number)), NOW)
    assert len(keys._known) == 3


def test_the_local_stack_makes_its_key_once_for_itself_alone_and_issues_what_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "token-keys.json"
    first, second = TokenIssuer.find_or_make(file), TokenIssuer.find_or_make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    keys = TokenKeys.read(file)
    for issuer in (first, second):
        bearer = Bearer(PERSON, Role.RECIPIENT, Area(frozenset()), "clinic")
        assert keys.verify(issuer.issue(bearer, NOW, HOUR), NOW) == bearer
    for life in (timedelta(0), LONGEST_LIFE + timedelta(seconds=1)):
        with pytest.raises(ValueError, match="hours"):
            first.issue(Bearer(PERSON, Role.ADMIN), NOW, life)
