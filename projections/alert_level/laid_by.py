"""Cases that are over and weigh nothing, kept small: a country has many more of them than live ones.

A record is 57 bytes, in order of case ids. What a case is made of stays, so that an event of its own can take it up
again; which reports were linked to it is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from uuid import UUID

from projections.alert_level.case import Case

_RECORD = Struct("<16s8HBqqii")
_ID = 16
_FLAGS = ("threat", "provisional", "ratified", "not_ratified", "assessed", "closed", "merged", "unfounded")
_WORDS = ("place", "kind", "stated", "severity", "credibility", "circulating", "verification", "resolved")
_ABSENT = -(2**31)


class LaidBy:
    """Records of one home; words are kept once."""

    __slots__ = ("_index", "_records", "_words")

    def __init__(self) -> None:
        self._records = bytearray()
        self._words: list[str | None] = [None]
        self._index: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self._records) // _RECORD.size

    def __iter__(self) -> Iterator[Case]:
        return (self._case(at) for at in range(len(self)))

    def lay(self, case: Case) -> None:
        """Keep a case that is not kept yet."""
        packed = _RECORD.pack(
            _bytes(case.case_id),
            *(self._word(getattr(case, name)) for name in _WORDS),
            sum(getattr(case, flag) << bit for bit, flag in enumerate(_FLAGS)),
            case.opened,
            _ABSENT if case.returned is None else case.returned,
            _ABSENT if case.occurred is None else case.occurred,
            _ABSENT if case.expected is None else case.expected,
        )
        at = self._at(packed[:_ID]) * _RECORD.size
        self._records[at:at] = packed

    def take(self, case_id: str) -> Case | None:
        """Take a case up again, without its links; None where it is not kept."""
        wanted = _bytes(case_id)
        at = self._at(wanted)
        start = at * _RECORD.size
        if self._records[start : start + _ID] != wanted:
            return None
        case = self._case(at)
        del self._records[start : start + _RECORD.size]
        return case

    def _at(self, wanted: bytes) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            start = middle * _RECORD.size
            if self._records[start : start + _ID] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _case(self, at: int) -> Case:
        case_id, *numbers, flags, opened, returned, occurred, expected = _RECORD.unpack_from(
            self._records, at * _RECORD.size
        )
        case = Case(str(UUID(bytes=case_id)), "", "", opened)
        for name, number in zip(_WORDS, numbers, strict=True):
            setattr(case, name, self._words[number])
        for bit, flag in enumerate(_FLAGS):
            setattr(case, flag, bool(flags >> bit & 1))
        case.returned = None if returned == _ABSENT else returned
        case.occurred = None if occurred == _ABSENT else occurred
        case.expected = None if expected == _ABSENT else expected
        return case

    def _word(self, word: str | None) -> int:
        number = self._index.get(word)
        if number is None:
            number = self._index[word] = len(self._words)
            self._words.append(word)
        return number


def _bytes(case_id: str) -> bytes:
    return bytes.fromhex(case_id.replace("-", ""))
