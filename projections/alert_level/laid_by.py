"""Cases that are over and weigh nothing, kept small: a country has many more of them than live ones.

All that a case is made of stays, so that an event of its own can take it up again, whole. This is what of the level's
memory grows with the log, and all that does: a case costs 60 bytes, each of its links 32, and no object of Python's.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from uuid import UUID

from projections.alert_level.case import Case

_RECORD = Struct("<16s9HHqqii")
_ID = 16
_FLAGS = ("threat", "provisional", "ratified", "not_ratified", "assessed", "closed", "merged", "unfounded")
_WORDS = ("place", "unit", "kind", "stated", "severity", "credibility", "circulating", "verification", "resolved")
_LINKED = 1 << len(_FLAGS)
_ABSENT = -(2**31)
_LINK = 2 * _ID
"""Bytes of a link: the report's id, then the case's."""


class LaidBy:
    """Records of one home, in order of case ids; words are kept once.

    Links stand by the first byte of the report's id: one that is lost is looked for among few.
    """

    __slots__ = ("_index", "_links", "_records", "_words")

    def __init__(self) -> None:
        self._records = bytearray()
        self._links: dict[int, bytearray] = {}
        self._words: list[str | None] = [None]
        self._index: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self._records) // _RECORD.size

    def lay(self, case: Case) -> None:
        """Keep a case that is not kept yet."""
        case_id = _bytes(case.case_id)
        for report in map(_bytes, case.links):
            self._links.setdefault(report[0], bytearray()).extend(report + case_id)
        packed = _RECORD.pack(
            case_id,
            *(self._word(getattr(case, name)) for name in _WORDS),
            sum(getattr(case, flag) << bit for bit, flag in enumerate(_FLAGS)) | (_LINKED if case.links else 0),
            case.opened,
            _ABSENT if case.returned is None else case.returned,
            _ABSENT if case.occurred is None else case.occurred,
            _ABSENT if case.expected is None else case.expected,
        )
        at = self._at(case_id) * _RECORD.size
        self._records[at:at] = packed

    def take(self, case_id: str) -> Case | None:
        """Take a case up again, its links in order of their ids; None where it is not kept."""
        wanted = _bytes(case_id)
        at = self._at(wanted)
        start = at * _RECORD.size
        if self._records[start : start + _ID] != wanted:
            return None
        case, linked = self._case(at)
        del self._records[start : start + _RECORD.size]
        if linked:
            case.links = self._unlink(wanted)
        return case

    def lose(self, report_id: str) -> list[Case]:
        """A report is no longer evidence of what is kept; returns the cases that lost it, which stay kept."""
        report = _bytes(report_id)
        links = self._links.get(report[0], bytearray())
        losing = sorted(bytes(links[at + _ID : at + _LINK]) for at in _found(links, report, 0))
        touched = []
        for case_id in losing:
            case = self.take(str(UUID(bytes=case_id)))
            assert case is not None  # its link is kept, so it is
            case.lose(report_id)
            self.lay(case)
            touched.append(case)
        return touched

    def _unlink(self, case_id: bytes) -> list[str]:
        """Forget the links of a case; returns its reports."""
        reports = []
        for first, links in list(self._links.items()):
            for at in reversed(list(_found(links, case_id, _ID))):
                reports.append(str(UUID(bytes=bytes(links[at : at + _ID]))))
                del links[at : at + _LINK]
            if not links:
                del self._links[first]
        return sorted(reports)

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

    def _case(self, at: int) -> tuple[Case, bool]:
        """The case of a record, without its links; and whether it has any."""
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
        return case, bool(flags & _LINKED)

    def _word(self, word: str | None) -> int:
        number = self._index.get(word)
        if number is None:
            number = self._index[word] = len(self._words)
            self._words.append(word)
        return number


def _bytes(uuid: str) -> bytes:
    return bytes.fromhex(uuid.replace("-", ""))


def _found(links: bytearray, wanted: bytes, within: int) -> Iterator[int]:
    """Where the links begin that have an id at this place within them."""
    at = links.find(wanted)
    while at >= 0:
        if at % _LINK == within:
            yield at - within
        at = links.find(wanted, at + 1)
