"""One spelling of a name to compare by: accents, case, apostrophes, hyphens and spaces do not tell places apart."""

from __future__ import annotations

import unicodedata

LONGEST = 200
"""Characters of what a person wrote that are compared; no name is as long."""


def fold(text: str) -> str:
    """Return the letters and digits of a text, without accents and case; empty when it has none."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text[:LONGEST]).casefold())
    return "".join(character for character in apart if character.isalnum())
