"""Texts of a case that leave in clear because two others said so: each is opened by itself, and recorded first.

All openings of one pack stand on the log under the pseudonyms that its people have about the case, also in the records
of its reports: those that they have about each report would tell there who else is the same person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from events import custody
from events.custody import OpenedFields, SealedField, ViewPurpose
from events.event import Act
from events.sealed import KeyKind
from services.audit.zipping import PartsBeside
from services.ledger.ledger import Recorded
from services.vault.approvals import Approvals, Clearing
from services.vault.opening import Opener

WORDS_OF = ("case/", "report/")
"""Streams whose texts leave in clear; what is said of levels and alerts stays with whoever said it."""

MOST_IN_CLEAR = 3_000
"""Events whose texts one pack shows: the log names each of them in one event, which must not be too large."""

_MONTH, _DATE, _YEAR = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_DAY = rf"{_YEAR}(?P<a>[-/.]){_MONTH}(?P=a){_DATE}(?!\d)|{_DATE}(?P<b>[-/.]){_MONTH}(?P=b){_YEAR}(?!\d)"
_NUMBER = re.compile(rf"(?<!\w)(?:(?P<day>{_DAY})|[(+]*\d(?:[\s().\-/]{{0,2}}\d){{6,}})")
LEFT_OUT = "[…]"


@dataclass(frozen=True, slots=True)
class Cleared:
    """Who agreed that texts of a case leave in clear, and by which approvals."""

    approved_by: tuple[UUID, ...]
    approval_ids: frozenset[UUID]


def cleared(
    approvals: Approvals, given: Sequence[str], case_id: UUID, act: Act, purpose: ViewPurpose, now: datetime
) -> Cleared:
    """Decide that texts leave in clear; raises BadInput for an approval of anything else, MayNotOpen and
    ClearNeedsApprovers. Nothing is used up by it."""
    custody.refuse_other_purposes(purpose)
    asked = Clearing(f"case/{case_id}", purpose, act.by.ref)
    approved = [approvals.approved_clearing(one, asked, now) for one in given]
    by = tuple({one.approver: None for one in approved})
    # every case begins with a summary, so what is refused of it is refused of the pack
    summary = SealedField("summary", KeyKind.CASE)
    custody.view(
        act,
        viewed=asked.case,
        viewed_version=1,
        viewed_type="case.opened",
        fields=[summary],
        purpose=purpose,
        approved_by=by,
    )
    custody.leave_in_clear(act, viewed_type="case.opened", fields=[summary.path], approved_by=by)
    return Cleared(by, frozenset(one.approval_id for one in approved))


@dataclass(slots=True)
class ClearTexts:
    """Opens the texts of one event after the other, and writes them; what it opened is told when the pack is made."""

    opener: Opener
    act: Act
    purpose: ViewPurpose
    cleared: Cleared
    parts: PartsBeside
    opened: list[OpenedFields] = field(default_factory=list)
    texts: int = 0
    key_ids: set[UUID] = field(default_factory=set)

    async def take(self, row: Recorded) -> None:
        """One more event of the pack; raises what `Opener.leave_in_clear` does."""
        if not row.stream.startswith(WORDS_OF):
            return
        left = await self.opener.leave_in_clear(row, self.act, self.purpose, self.cleared.approved_by)
        for path, text in left.texts.items():
            self._write(row, path, without_numbers(text.get_secret_value()))
        for path in left.erased:
            self._write(row, path, None)
        if left.texts:
            fields = tuple(left.texts)
            self.opened.append(OpenedFields(viewed=row.stream, viewed_version=row.version, fields=fields))
        self.texts += len(left.texts)
        self.key_ids |= left.key_ids

    def _write(self, row: Recorded, path: str, text: str | None) -> None:
        """One line; where the text was erased it has none."""
        said = {
            "position": row.position,
            "subject": row.stream,
            "streamversion": row.version,
            "type": row.type,
            "field": path,
            "text": text,
        }
        self.parts.write(orjson.dumps(said) + b"\n")


def without_numbers(text: str) -> str:
    """The text without what may be a phone number: seven digits or more in a row that are no day."""
    return _NUMBER.sub(lambda found: found["day"] or LEFT_OUT, text)
