"""How our classes become JSON Schemas that strangers read: without what is Python's, in the words of the docstrings."""

from __future__ import annotations

from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def first_paragraph(text: str) -> str:
    """What a docstring says first, as one line."""
    return " ".join(text.partition("\n\n")[0].split())


def without_titles(schema: Any) -> Any:
    """The schema without pydantic's titles, which are Python names; a property that is called `title` stays."""
    match schema:
        case dict():
            return {
                key: {name: without_titles(part) for name, part in value.items()}
                if key in ("properties", "$defs")
                else without_titles(value)
                for key, value in schema.items()
                if key != "title"
            }
        case list():
            return [without_titles(part) for part in schema]
        case _:
            return schema
