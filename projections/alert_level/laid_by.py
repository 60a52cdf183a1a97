"""Cases that are over and weigh nothing, kept small: a country has many more of them than live ones.

All that a case is made of stays, so that an event of its own can take it up again, whole. This is what of the level's
memory grows with the log, and all that does: a case costs 60 bytes, each of its links 32, its merging into another 32,
and no object of Python's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import attrgetter
from struct import Struct
from uuid import UUID

from projections.alert_level.case import Case

_RECORD = Struct("<16s9HHqqii")
_ID = 16
FLAGS = ("threat", "provisional", "ratified", "not_ratified", "assessed", "closed", "lost")
WORDS = ("place", "unit", "kind", "stated", "severity", "credibility", "circulating", "verification", "resolved")
_BITS = tuple(1 << bit for bit in range(len(FLAGS)))
_words_of, _flags_of = attrgetter(*WORDS), attrgetter(*FLAGS)
_LINKED, _MERGED = 1 << len(FLAGS), 2 << len(FLAGS)
_ABSENT = -(2**31)
_PAIR = 2 * _ID


class Pairs:
    """Which cases go with which other id: each pair is that id, then the case's.

    They stand by the first byte of the other id: one of which the cases are asked is looked for among few.
    """

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept: dict[int, bytearray] = {}

    def add(self, other: bytes, case_id: bytes) -> None:
        self.kept.setdefault(other[0], bytearray()).extend(other + case_id)

    def cases(self, other: bytes) -> list[bytes]:
        """The cases that go with an id, in order."""
        pairs = self.kept.get(other[0], bytearray())
        return sorted(bytes(pairs[at + _ID : at + _PAIR]) for at in _found(pairs, other, 0))

    def others(self, case_id: bytes) -> list[bytes]:
        """The ids that go with a case, in order."""
        return sorted(bytes(pairs[at : at + _ID]) for pairs in self.kept.values() for at in _found(pairs, case_id, _ID))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every case with the id that goes with it."""
        for pairs in self.kept.values():
            for at in range(0, len(pairs), _PAIR):
                yield _uuid(pairs[at + _ID : at + _PAIR]), _uuid(pairs[at : at + _ID])

    def take(self, case_id: bytes) -> list[bytes]:
        """Forget a case; returns the ids that went with it, in order."""
        others = self.others(case_id)
        for first in {other[0] for other in others}:
            pairs = self.kept[first]
            for at in reversed(list(_found(pairs, case_id, _ID))):
                del pairs[at : at + _PAIR]
            if not pairs:
                del self.kept[first]
        return others


class LaidBy:
    """Records of one home, in order of case ids; words are kept once."""

    __slots__ = ("_index", "_links", "_merged", "_records", "_words")

    def __init__(self) -> None:
        self._records = bytearray()
        self._links = Pairs()
        self._merged = Pairs()
        self._words: list[str | None] = [None]
        self._index: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self._records) // _RECORD.size

    def lay(self, case: Case) -> None:
        """Keep a case that is not kept yet."""
        days = case.returned, case.occurred, case.expected
        self.keep(case.case_id, _words_of(case), _flags_of(case), case.opened, days, case.links, case.into)

    def keep(
        self,
        case_id: str,
        words: Iterable[str | None],
        flags: Iterable[bool],
        opened: int,
        days: tuple[int | None, int | None, int | None],
        links: Sequence[str],
        into: str | None,
    ) -> None:
        """Keep what a case is made of, in the order of `WORDS`, of `FLAGS`, and returned, occurred, expected."""
        id_ = _bytes(case_id)
        for report in map(_bytes, links):
            self._links.add(report, id_)
        if into is not None:
            self._merged.add(_bytes(into), id_)
        returned, occurred, expected = days
        packed = _RECORD.pack(
            id_,
            *map(self._word, words),
            sum(compress(_BITS, flags)) | (_LINKED if links else 0) | (_MERGED if into is not None else 0),
            opened,
            _ABSENT if returned is None else returned,
            _ABSENT if occurred is None else occurred,
            _ABSENT if expected is None else expected,
        )
        at = self._at(id_) * _RECORD.size
        self._records[at:at] = packed

    def take(self, case_id: str) -> Case | None:
        """Take a case up again, its links in order of their ids; None where it is not kept."""
        wanted = _bytes(case_id)
        start = self._start(wanted)
        if start is None:
            return None
        case, flags = self._case(start)
        del self._records[start : start + _RECORD.size]
        if flags & _LINKED:
            case.links = [_uuid(report) for report in self._links.take(wanted)]
        if flags & _MERGED:
            (case.into,) = map(_uuid, self._merged.take(wanted))
        return case

    def __iter__(self) -> Iterator[Case]:
        """Every case kept, without its links; it stays kept."""
        into = dict(self._merged.pairs())
        for start in range(0, len(self._records), _RECORD.size):
            case, _ = self._case(start)
            case.into = into.get(case.case_id)
            yield case

    def into(self, case_id: str) -> str | None:
        """What a case was merged into; None where it was not, or is not kept."""
        wanted = _bytes(case_id)
        start = self._start(wanted)
        if start is None or not self._case(start)[1] & _MERGED:
            return None
        return _uuid(*self._merged.others(wanted))

    def absorbed(self, into: str) -> list[tuple[str, bool]]:
        """The cases kept that are merged into one, and whether each has lost its own ground."""
        kept = []
        for case_id in self._merged.cases(_bytes(into)):
            start = self._start(case_id)
            assert start is not None  # its merging is kept, so it is
            kept.append((_uuid(case_id), self._case(start)[0].lost))
        return kept

    def lose(self, report_id: str) -> list[Case]:
        """A report is no longer evidence of what is kept; returns the cases that lost it, which stay kept."""
        touched = []
        for case_id in self._links.cases(_bytes(report_id)):
            case = self.take(_uuid(case_id))
            assert case is not None  # its link is kept, so it is
            case.lose(report_id)
            self.lay(case)
            touched.append(case)
        return touched

    def _start(self, wanted: bytes) -> int | None:
        """Where the record of a case begins."""
        start = self._at(wanted) * _RECORD.size
        return start if self._records[start : start + _ID] == wanted else None

    def _at(self, wanted: bytes) -> int:
        low, high = 0, len(self)
        if high and self._records[-_RECORD.size : _ID - _RECORD.size] < wanted:
            return high  # as where all are read, which come in order
        while low < high:
            middle = (low + high) // 2
            start = middle * _RECORD.size
            if self._records[start : start + _ID] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _case(self, start: int) -> tuple[Case, int]:
        """The case of a record, without its links and what it was merged into; and whether it has any."""
        case_id, *numbers, flags, opened, returned, occurred, expected = _RECORD.unpack_from(self._records, start)
        case = Case(_uuid(case_id), "", "", opened)
        for name, number in zip(WORDS, numbers, strict=True):
            setattr(case, name, self._words[number])
        for bit, flag in enumerate(FLAGS):
            setattr(case, flag, bool(flags >> bit & 1))
        case.returned = None if returned == _ABSENT else returned
        case.occurred = None if occurred == _ABSENT else occurred
        case.expected = None if expected == _ABSENT else expected
        return case, flags

    def _word(self, word: str | None) -> int:
        number = self._index.get(word)
        if number is None:
            number = self._index[word] = len(self._words)
            self._words.append(word)
        return number


def _bytes(uuid: str) -> bytes:
    return bytes.fromhex(uuid.replace("-", ""))


def _uuid(packed: bytes | bytearray) -> str:
    return str(UUID(bytes=bytes(packed)))


def _found(pairs: bytearray, wanted: bytes, within: int) -> Iterator[int]:
    """Where the pairs begin that have an id at this place within them."""
    at = pairs.find(wanted)
    while at >= 0:
        if at % _PAIR == within:
            yield at - within
        at = pairs.find(wanted, at + 1)
