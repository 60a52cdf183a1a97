"""Why the domain says no: a small tree, each with a sentence for the person who asked.

Refusal
├── BadInput              a field has a value that cannot be: which, what was expected, what to do
└── NotNow                the value is fine, the state of things forbids it; subclasses stand beside the noun they guard
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Refusal(Exception):
    """The domain said no; nothing was written."""


class Problem(BaseModel):
    """One field's fault: a dotted path, what was expected and what to do about it."""

    model_config = ConfigDict(frozen=True)

    field: str
    expected: str
    mend: str

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}; {self.mend}"


class BadInput(Refusal):
    """One or more fields have values that cannot be; nothing was written."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(" | ".join(str(problem) for problem in problems))

    @classmethod
    def field(cls, field: str, expected: str, mend: str) -> BadInput:
        return cls(Problem(field=field, expected=expected, mend=mend))


class NotNow(Refusal):
    """The state of things forbids it. The class docstring's first line is the sentence, with named places to fill."""

    sentence: ClassVar[str] = ""

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.sentence.format(**details))


class Command(BaseModel):
    """What somebody asks for. Closed: an unknown field or word is refused, since here a typing error must not be lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


C = TypeVar("C", bound=Command)


def read_command(command: type[C], fields: Mapping[str, Any]) -> C:
    """Validate a command's fields; raises BadInput with one problem a field, never quoting what was typed."""
    try:
        return command.model_validate(fields)
    except ValidationError as error:
        raise BadInput(
            *(_problem(command, detail) for detail in error.errors(include_url=False, include_input=False))
        ) from None


def _problem(command: type[Command], detail: Any) -> Problem:
    path = ".".join(str(part) for part in detail["loc"]) or command.__name__
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return Problem(field=path, expected="a value", mend="add this field")
        case "extra_forbidden":
            return Problem(field=path, expected="only known fields", mend="remove it or correct its name")
        case "enum" | "literal_error":
            return Problem(field=path, expected=f"one of {context.get('expected')}", mend="choose one of these words")
        case "string_too_long" | "too_long":
            return Problem(field=path, expected=f"at most {context.get('max_length')}", mend="shorten it")
        case "string_too_short" | "too_short":
            return Problem(field=path, expected=f"at least {context.get('min_length')}", mend="say more")
        case "timezone_aware":
            return Problem(
                field=path, expected="a time with its offset", mend="write it like 2026-05-20T06:30:00+02:00"
            )
        case _:
            message = str(detail["msg"]).removeprefix("Value error, ")
            expected, _, mend = message.partition("; ")
            return Problem(field=path, expected=expected, mend=mend or "correct it and send it again")
