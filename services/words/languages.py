"""Languages: a sentence of the code, said in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

LOCALES = Path(__file__).parent / "locale"


class Code(StrEnum):
    """Our languages by ISO 639-1."""

    ENGLISH = "en"
    FRENCH = "fr"
    KIRUNDI = "rn"
    SWAHILI = "sw"


ENGLISH = Code.ENGLISH
LANGUAGES: Mapping[str, str] = {"en": "en_GB", "fr": "fr", "rn": "rn", "sw": "sw"}
"""The locale by which each writes numbers and days."""

UNREAD = frozenset({"rn", "sw"})
"""Languages whose sentences nobody who was born to them has read yet: who shows them says so."""


class Language:
    """One language. Names and numbers in a sentence stand in braces, as `str.format` takes them."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code = code
        self._locale = Locale.parse(LANGUAGES[code])
        self._translations = translations

    @property
    def read_by_a_native(self) -> bool:
        return self.code not in UNREAD

    def say(self, sentence: str, /, **values: object) -> str:
        """The sentence in this language; in English where the catalog lacks it."""
        return self._translations.ugettext(sentence).format(**values)

    def say_number(self, one: str, more: str, number: int, /, **values: object) -> str:
        """One of two sentences, by the number; as many forms as the language has."""
        said = self._translations.ungettext(one, more, number)
        return said.format(number=format_decimal(number, locale=self._locale), **values)

    def points(self, thousandths: int) -> str:
        """Points as people write them: 52500 is 52.5, or 52,5."""
        return format_decimal(Decimal(thousandths) / 1000, format="0.###", locale=self._locale, group_separator=False)

    def day(self, on: date) -> str:
        said = format_date(on, "long", locale=self._locale)
        # Babel writes "1 mai", and people read aloud what stands there.
        return f"1er{said[1:]}" if self._locale.language == "fr" and on.day == 1 else said


@cache
def language(code: str) -> Language:
    """A language by its code; raises KeyError for one that is not ours."""
    LANGUAGES[code]
    if code == ENGLISH:
        return Language(code, NullTranslations())
    with (LOCALES / f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=LANGUAGES[code])
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Language(code, Translations(compiled))
