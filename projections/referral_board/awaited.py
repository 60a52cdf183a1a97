"""Which answers a case waits for, and what happens to each as events come and moments pass.

- acknowledgement and action, of each referral, by its own deadlines; also of a case that was merged away, since whoever
  has the referral in hand answers to the case it was made in;
- ratification, by `ratify_by`;
- referral_or_decision, by the target of the rules that were in force when the case became severe.

The latter two are not asked of a case that is merged away, and are asked again, as they were, when it is not. A closed
case waits for nothing: whoever closed it said that the work is over, though a history cut by a restore, or one of
another door, may have left a referral open in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from events.level import Awaited, ResponseOverdue
from projections.projection import NEVER, Derived, Page
from projections.referral_board.case import CaseReferrals, Gap
from projections.referral_board.told import Told
from projections.taken import Taken


def awaited(case: CaseReferrals) -> Iterator[tuple[str, str]]:
    """Names of the gaps that are awaited now, `<awaited>/<referral or nothing>`, and their dues."""
    if not case.unit or case.stage == "closed":  # without a unit, the case's beginning is not in this history
        return
    for referral_id, referral in case.referrals.items():
        for what, due in referral.awaited():
            yield f"{what}/{referral_id}", due
    if case.merged:
        return
    if case.provisional and case.ratify_by is not None:
        yield "ratification/", case.ratify_by
    if case.answer_by is not None:
        yield "referral_or_decision/", case.answer_by


def settle(case: CaseReferrals, event: Taken) -> None:
    """Open, move and close gaps by what the case waits for after an event."""
    wanted = dict(awaited(case))
    for name, known in case.gaps.items():
        if known.awaited and name not in wanted:
            _answer(case, name, known, event)
    for name, due in wanted.items():
        gap = case.gaps.get(name)
        if gap is None:
            case.gaps[name] = Gap(due)
        elif not gap.passed:
            gap.due, gap.awaited = due, True
        elif gap.awaited and gap.due == due:
            continue
        elif gap.due == due and event.type == "case.merge_reversed":  # the two cases stand as before
            gap.awaited, gap.answered_at, gap.answered_by = True, None, None
            _write(case, name, gap)
        else:
            if gap.awaited:
                _answer(case, name, gap, event)
            case.gaps[name] = Gap(due, step=gap.step + 1)


def pass_by(case: CaseReferrals, told: Told, until: str, page: Page) -> None:
    """What is due at or before `until` and unanswered becomes a gap; it is told where an engine speaks."""
    due = [one for one in case.gaps.items() if one[1].awaited and one[1].due <= until]
    for name, gap in sorted(due, key=lambda one: (one[1].due, _seed(case, *one))):
        if not gap.passed:
            gap.passed = True
            _write(case, name, gap)
        if told.engine is not None and not gap.told:
            gap.told = True
            page.derived.append(_overdue(case, name, gap, told.engine))


def next_due(case: CaseReferrals) -> str | None:
    """When the next awaited answer is due; NEVER where gaps passed and wait for an engine to tell them."""
    soonest, untold = None, False
    for gap in case.gaps.values():
        if gap.awaited and not gap.passed:
            soonest = gap.due if soonest is None else min(soonest, gap.due)
        elif gap.awaited and not gap.told:
            untold = True
    return NEVER if soonest is None and untold else soonest


def overdue_since(case: CaseReferrals, referral_id: str) -> str | None:
    """Since when a referral's recipient owes an answer."""
    names = (f"acknowledgement/{referral_id}", f"action/{referral_id}")
    gaps = (case.gaps.get(name) for name in names)
    return min((gap.due for gap in gaps if gap is not None and gap.awaited and gap.passed), default=None)


def _answer(case: CaseReferrals, name: str, gap: Gap, event: Taken) -> None:
    gap.awaited = False
    if gap.passed:
        gap.answered_at, gap.answered_by = event.time, event.type
        _write(case, name, gap)


def _write(case: CaseReferrals, name: str, gap: Gap) -> None:
    what, subject = name.split("/")
    row = (case.stream, what, subject, gap.step, case.unit, case.home, gap.due, gap.answered_at, gap.answered_by)
    case.keep(name, gap.step, row)


def _overdue(case: CaseReferrals, name: str, gap: Gap, engine: int) -> Derived:
    what, subject = name.split("/")
    data = ResponseOverdue(
        unit=case.unit,
        case_id=UUID(case.case_id),
        referral_id=UUID(subject) if subject else None,
        awaited=Awaited(what),
        due=gap.due,
        step=gap.step,
    )
    return Derived(f"level/{case.unit}", case.home, _seed(case, name, gap), gap.due, data, engine)


def _seed(case: CaseReferrals, name: str, gap: Gap) -> str:
    what, subject = name.split("/")
    return f"overdue/{case.case_id}/{subject or 'case'}/{what}/{gap.step}"
