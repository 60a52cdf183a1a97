"""Personal text on its way into an event: in clear only in memory, sealed as soon as it has a stream and a version.

A decision puts `Clear` into an event; the vault replaces every `Clear` by `Sealed` before canonical bytes exist. A
`Clear` refuses to be written in any form, so what was forgotten cannot leak: it fails.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_serializer


class KeyKind(StrEnum):
    """Whose key: one a report, one a case, and for what belongs to a person one a person and stream."""

    REPORT = "report"
    CASE = "case"
    PERSON = "person"


class Under(BaseModel):
    """Which key seals a text.

    `owner` is the report's or case's id, or the person's random id. A person has another key in each stream, so that
    equal key ids never tell that two reports came from one person.
    """

    model_config = ConfigDict(frozen=True)

    kind: KeyKind
    owner: UUID


class Clear(BaseModel):
    """Text that must be sealed before it is written; its repr hides it and it cannot be serialised."""

    model_config = ConfigDict(frozen=True)

    text: SecretStr
    under: Under

    @model_serializer
    def _refuse(self) -> str:
        raise ValueError("a personal text in clear was about to be written; seal it first (services/vault)")


class Sealed(BaseModel):
    """An AES-256-GCM ciphertext that names its key, its algorithm and the version of this form.

    `nonce` and `ciphertext` (tag at its end) are base64url without padding. The additional data that binds it is
    its stream, stream version, field and key id, so it opens only where it was put.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    form: Annotated[int, Field(alias="v", ge=1)] = 1
    algorithm: Annotated[str, Field(alias="alg")] = "A256GCM"
    key_id: Annotated[UUID, Field(alias="kid")]
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    ciphertext: Annotated[str, Field(alias="ct", pattern=r"^[A-Za-z0-9_-]+$")]


def _either(value: object) -> object:
    return Sealed.model_validate(value) if isinstance(value, dict) else value


Sealable = Annotated[Sealed | Clear, BeforeValidator(_either)]
"""A personal field of an event: `Clear` between decision and vault, `Sealed` ever after and on every wire."""
