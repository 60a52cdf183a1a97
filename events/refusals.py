"""Why the domain says no: a small tree, each with a sentence for the person who asked.

Refusal
├── BadInput              a field has a value that cannot be: which, what was expected, what to do
└── NotNow                the value is fine, the state of things forbids it; subclasses stand beside the noun they guard
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


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
    """The state of things forbids it. `sentence` has named places that `details` fill; never personal ones."""

    sentence: ClassVar[str]

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.sentence.format(**details))
