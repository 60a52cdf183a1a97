"""The base of every command: what somebody asks for, read strictly and told clearly where it cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar, overload
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from events.refusals import BadInput, Problem
from events.sealed import Clear, KeyKind, Under

TEXT_LIMIT_CHARACTERS = 10_000
"""The longest personal text of one field: about twenty minutes of speech."""


def _as_utf_8(text: SecretStr) -> SecretStr:
    try:
        text.get_secret_value().encode()
    except UnicodeEncodeError:  # half of a pair of surrogates, which nobody could seal
        raise ValueError("text that can be written as UTF-8; type it again") from None
    return text


Text = Annotated[SecretStr, Field(min_length=1, max_length=TEXT_LIMIT_CHARACTERS), AfterValidator(_as_utf_8)]
"""Personal or free text: hidden from every repr and log; an event holds it sealed."""


class Command(BaseModel):
    """What somebody asks for. Closed: an unknown field or word is refused, since a typing error must not be lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    stamped: ClassVar[frozenset[str]] = frozenset()
    """Fields that our door fills in, and which therefore differ when the same command is sent again."""

    def revealed(self) -> dict[str, Any]:
        """JSON types with every text in clear, for the command's HMAC alone; what our door stamped is left out."""
        return {name: _reveal(getattr(self, name)) for name in type(self).model_fields if name not in self.stamped}


def _reveal(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Command():
            return value.revealed()
        case BaseModel():
            return value.model_dump(mode="json")
        case dict():
            return {str(key): _reveal(part) for key, part in value.items()}
        case list() | tuple():
            return [_reveal(part) for part in value]
        case set() | frozenset():  # a set's own order differs from process to process, and a repeat must not
            return sorted(map(_reveal, value))
        case bool() | int() | str() | None:
            return value
        case _:
            return str(value)


@overload
def clear(text: SecretStr | str, kind: KeyKind, owner: UUID) -> Clear: ...


@overload
def clear(text: SecretStr | str | None, kind: KeyKind, owner: UUID) -> Clear | None: ...


def clear(text: SecretStr | str | None, kind: KeyKind, owner: UUID) -> Clear | None:
    """Mark a text for sealing under somebody's key; nothing stays nothing."""
    if text is None:
        return None
    secret = text if isinstance(text, SecretStr) else SecretStr(str(text))
    return Clear(text=secret, under=Under(kind=kind, owner=owner))


C = TypeVar("C", bound=Command)


def read_command(command: type[C], fields: Mapping[str, Any]) -> C:
    """Validate a command's fields; raises BadInput with one problem a field, never quoting what was typed."""
    try:
        return _validated(command, fields)
    except ValidationError as error:
        problems = [_problem(command, detail) for detail in error.errors(include_url=False, include_input=False)]
    # Raised outside the `except`, so that no traceback carries the library's error, which knows what was typed.
    raise BadInput(*(one for one in problems if not _told_closer(one, problems)))


def _told_closer(problem: Problem, problems: Sequence[Problem]) -> bool:
    """Whether a fault inside it says better what is wrong: a list with a wrong entry is also called too short."""
    return any(other.field.startswith(f"{problem.field}.") for other in problems)


def _validated(command: type[C], fields: Mapping[str, Any]) -> C:
    """Validate as JSON, strictly: `true` is no number, and no word is true."""
    try:
        document = orjson.dumps(fields)
    except TypeError:  # no JSON: Python's own values, or text that no encoding holds; the model says which field
        return command.model_validate(fields)
    return command.model_validate_json(document, strict=True)


_LONGEST_NAME = 40
"""A name longer than this is no field of ours but somebody's text in the wrong place: it is not repeated."""


def _problem(command: type[Command], detail: Any) -> Problem:
    path = ".".join(_named(part) for part in detail["loc"]) or command.__name__
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            expected, mend = "a value", "add this field"
        case "extra_forbidden":
            expected, mend = "only known fields", "remove it or correct its name"
        case "enum" | "literal_error":
            expected, mend = f"one of {context.get('expected')}", "choose one of these words"
        case "string_too_long":
            expected, mend = f"at most {context.get('max_length')} characters", "shorten it"
        case "too_long":
            expected, mend = f"at most {context.get('max_length')} entries", "leave some out"
        case "string_too_short":
            expected, mend = f"at least {context.get('min_length')} characters", "say more"
        case "too_short":
            expected, mend = f"at least {context.get('min_length')} entries", "add what is missing"
        case "string_pattern_mismatch":
            expected, mend = "an id of ours", "copy it from where it is listed"
        case "uuid_parsing" | "uuid_type":
            expected, mend = "an id (a UUID)", "copy it from where it is listed"
        case "string_unicode":
            expected, mend = "text that can be written as UTF-8", "type it again"
        case "datetime_parsing" | "datetime_from_date_parsing" | "datetime_type" | "datetime_object_invalid":
            expected, mend = "a date and time", "write it like 2026-05-20T06:30:00+02:00"
        case "date_parsing" | "date_from_datetime_parsing" | "date_from_datetime_inexact" | "date_type":
            expected, mend = "a date", "write it like 2026-05-20"
        case "timezone_aware":
            expected, mend = "a time with its offset", "write it like 2026-05-20T06:30:00+02:00"
        case _:
            message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
            expected, _, mend = message.partition("; ")
    return Problem(field=path, expected=expected, mend=mend or "correct it and send it again")


def _named(part: str | int) -> str:
    name = str(part)
    return name if len(name) <= _LONGEST_NAME else "(a name that is too long)"
