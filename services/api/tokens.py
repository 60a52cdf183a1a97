"""Bearer tokens: JSON Web Tokens signed with Ed25519, which say who somebody is, in which role and for which area.

A key is known by its `kid`; several may be valid at once, so that they can be changed without anybody being shut out.
RFC 9864 names the algorithm `Ed25519`; the older name `EdDSA` is taken too, nothing else is.
"""

from __future__ import annotations

import os
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet, OKPKey

from events.vocabulary import Role
from services.area import EVERYWHERE, Area
from services.settings import Settings

ALGORITHMS = ("Ed25519", "EdDSA")
ISSUER = AUDIENCE = "intabaza"
LONGEST_LIFE = timedelta(hours=12)
LEEWAY = timedelta(seconds=30)
MOST_REMEMBERED = 10_000
LONGEST_TOKEN = 4_096
LOOK_SECONDS = 0.2

_UNIT = re.compile(r"^[a-z0-9][a-z0-9:._-]{0,63}\Z")
_RECIPIENT = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}\Z")

_log = structlog.get_logger(__name__)


class TokenRefused(Exception):
    """The token says nothing that can be believed; the message says why, and never repeats it."""


class TokenKeysRefused(Exception):
    """A file of keys cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who sent a request: a person of the vault, in one role, for one area; for a recipient, which one it is."""

    person_id: UUID = field(repr=False)
    role: Role
    area: Area = EVERYWHERE
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """Who issues tokens (`iss`), and for whom (`aud`): one that was made for something else is not taken here."""

    issuer: str = ISSUER
    audience: str = AUDIENCE

    def refuse_others(self, claims: Mapping[str, Any]) -> None:
        """Raises TokenRefused for claims of another issuer, or for another audience."""
        if claims.get("iss") != self.issuer:
            raise TokenRefused("its `iss` is not who issues tokens for this network")
        audience = claims.get("aud")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRefused("its `aud` is not this network")


class TokenKeys:
    """Public keys that sign tokens for us, from a JWK set in a file, which is followed: a key that is added is taken,
    and what was signed by one that is removed ends."""

    def __init__(
        self, file: Path, keys: KeySet, look_seconds: float = LOOK_SECONDS, parties: Parties | None = None
    ) -> None:
        self._parties = parties or Parties()
        self._file = file
        self._keys = keys
        self._look_seconds = look_seconds
        self._looked_at = monotonic()
        self._seen = _state_of(file)
        self._known: OrderedDict[bytes, tuple[Bearer, datetime]] = OrderedDict()

    @classmethod
    def read(cls, file: Path, look_seconds: float = LOOK_SECONDS, parties: Parties | None = None) -> TokenKeys:
        """A JWK set; private parts may be in it and are not used here. Raises TokenKeysRefused."""
        return cls(file, read_keys(file), look_seconds, parties)

    def _look(self) -> None:
        """Read the file again where it changed; while it cannot be used, what was read last stands."""
        if (now := monotonic()) - self._looked_at < self._look_seconds:
            return
        self._looked_at = now
        if (state := _state_of(self._file)) == self._seen:
            return
        self._seen = state
        try:
            self._keys = read_keys(self._file)
        except TokenKeysRefused as error:
            _log.error("token_keys_stand_as_they_were", because=str(error))
            return
        self._known.clear()
        _log.info("token_keys_read_again", keys=len(self._keys.keys))

    def verify(self, token: str, now: datetime) -> Bearer:
        """Who this token speaks for; raises TokenRefused. What was verified is remembered until it ends."""
        self._look()
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("it is too long")
        digest = sha256(token.encode()).digest()
        if (known := self._known.get(digest)) is not None and now < known[1]:
            return known[0]
        bearer, until = self._verify(token, now)
        self._known[digest] = bearer, until
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return bearer

    def _verify(self, token: str, now: datetime) -> tuple[Bearer, datetime]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # of the older name of the same algorithm
                decoded = jwt.decode(token, self._keys, algorithms=list(ALGORITHMS))
                if "kid" not in decoded.header:
                    raise TokenRefused("it does not name its key (`kid`)")
                claims = decoded.claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise TokenRefused("its signature is not by a key that is known here") from None
        self._parties.refuse_others(claims)
        begins, ends = _moment(claims, "iat"), _moment(claims, "exp")
        if "nbf" in claims:
            begins = max(begins, _moment(claims, "nbf"))
        if begins >= ends:
            raise TokenRefused("it ends before it begins")
        if now >= ends + LEEWAY:
            raise TokenRefused("it has ended; ask for a new one")
        if begins > now + LEEWAY:
            raise TokenRefused("it has not begun; compare the clocks")
        if ends - begins > LONGEST_LIFE:
            raise TokenRefused(f"it lives longer than {LONGEST_LIFE.total_seconds() / 3600:.0f} hours")
        return _bearer(claims), ends + LEEWAY


def read_keys(file: Path) -> KeySet:
    """The keys of a JWK set; raises TokenKeysRefused."""
    try:
        document = orjson.loads(file.read_bytes())
        keys = KeySet.import_key_set(document)
        named = [one.get("kid") for one in document["keys"]]  # the library would make one up
    except (OSError, ValueError, JoseError, TypeError, KeyError, AttributeError) as error:
        raise TokenKeysRefused(f"The keys in {file} cannot be read ({type(error).__name__}).") from None
    ours = (isinstance(key, OKPKey) and key.curve_name == "Ed25519" for key in keys.keys)
    kids = [kid for kid, our in zip(named, ours, strict=True) if our and kid]
    if not kids or len(kids) != len(keys.keys) or len(set(kids)) != len(kids):
        raise TokenKeysRefused(f"The keys in {file} must be Ed25519 keys, each with a kid of its own.")
    return keys


def _state_of(file: Path) -> tuple[int, int, int] | None:
    """What changes when somebody puts another file there, or writes to it."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _moment(claims: dict[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"its `{name}` is missing")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise TokenRefused(f"its `{name}` is no moment") from None


def _bearer(claims: dict[str, Any]) -> Bearer:
    try:
        person_id = UUID(str(claims.get("sub")))
    except ValueError:
        raise TokenRefused("its `sub` is no person's id") from None
    role = Role.read(str(claims.get("role")))
    if not role.known or role is Role.SYSTEM:
        raise TokenRefused("its `role` is none that is known here")
    units = claims.get("area", [])
    if units != "*" and not (
        isinstance(units, list) and all(isinstance(one, str) and _UNIT.match(one) for one in units)
    ):
        raise TokenRefused("its `area` is no list of units")
    recipient = claims.get("recipient")
    named = isinstance(recipient, str) and _RECIPIENT.match(recipient) is not None
    if (role is Role.RECIPIENT) != named or (not named and recipient is not None):
        raise TokenRefused("a recipient's token, and no other, names its `recipient`")
    return Bearer(person_id, role, EVERYWHERE if units == "*" else Area(frozenset(units)), recipient)


@contextmanager
def drafted(file: Path, keys: Sequence[Mapping[str, Any]]) -> Iterator[Path]:
    """A whole JWK set beside the file, for us alone and on the disk, to be put in its place: nobody reads a half of it.

    It is gone after the block.
    """
    draft = file.with_name(f".{file.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(orjson.dumps({"keys": list(keys)}, option=orjson.OPT_INDENT_2))
            written.flush()
            os.fsync(written.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def new_key() -> OKPKey:
    """A key that nobody has seen."""
    return OKPKey.generate_key("Ed25519", {"kid": uuid4().hex[:12], "use": "sig"})


class TokenIssuer:
    """Signs tokens with a private key of ours: for the local stack, where nobody else does."""

    def __init__(self, key: OKPKey, parties: Parties | None = None) -> None:
        self._key = key
        self._parties = parties or Parties()

    @classmethod
    def find_or_make(cls, file: Path, parties: Parties | None = None) -> TokenIssuer:
        """The newest key of a file that only we can read, made at the first call."""
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with drafted(file, [new_key().as_dict(private=True)]) as draft, suppress(FileExistsError):
                os.link(draft, file)  # unless somebody was faster
        keys = KeySet.import_key_set(orjson.loads(file.read_bytes()))
        key = keys.keys[-1]
        if not isinstance(key, OKPKey):
            raise TokenKeysRefused(f"The last key in {file} must be an Ed25519 key.")
        return cls(key, parties)

    @classmethod
    def of(cls, settings: Settings) -> TokenIssuer:
        """The one of the local stack."""
        return cls.find_or_make(settings.token_keys, Parties(settings.token_issuer, settings.token_audience))

    def issue(self, bearer: Bearer, now: datetime, life: timedelta) -> str:
        """A token of this life; raises ValueError for one that would be refused."""
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise ValueError(f"a token lives at most {LONGEST_LIFE.total_seconds() / 3600:.0f} hours")
        units = bearer.area.units
        claims: dict[str, Any] = {
            "iss": self._parties.issuer,
            "aud": self._parties.audience,
            "sub": str(bearer.person_id),
            "role": bearer.role.value,
            "area": "*" if units is None else sorted(units),
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        if bearer.recipient is not None:
            claims["recipient"] = bearer.recipient
        return jwt.encode({"alg": "Ed25519", "kid": self._key.kid}, claims, self._key, algorithms=["Ed25519"])
