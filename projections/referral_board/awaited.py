"""Which answers a case waits for, and what happens to each as events come and moments pass.

- acknowledgement and action, of each referral, by its own deadlines; also of a case that was merged away, since whoever
  has the referral in hand answers to the case it was made in;
- ratification, by `ratify_by`;
- referral_or_decision, by the target of the rules: those in force when the case became severe, or, where rules say that
  they speak for open cases, those. Once it has passed it climbs the rules' ladder.

The latter two are not asked of a case that is merged away, and are asked again, as they were, when it is not. A closed
case waits for nothing: whoever closed it said that the work is over, though a history cut by a restore, or one of
another door, may have left a referral open in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from events.level import Awaited, ResponseEscalated, ResponseOverdue
from projections.projection import NEVER, Derived, Page
from projections.referral_board.case import ANSWER, CaseReferrals, Gap, hours_after
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
        yield ANSWER, case.answer_by


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
        elif gap.awaited and _passed_by(name, gap, due):
            continue
        elif _passed_by(name, gap, due) and event.type == "case.merge_reversed":  # the two cases stand as before
            gap.awaited, gap.answered_at, gap.answered_by = True, None, None
            _write(case, name, gap)
        else:
            if gap.awaited:
                _answer(case, name, gap, event)
            case.gaps[name] = Gap(due, step=gap.step + 1)


def _passed_by(name: str, gap: Gap, due: str) -> bool:
    """Whether a gap that has passed is the one of this due: what is open is not opened again by an earlier target."""
    return gap.due == due or (name == ANSWER and gap.due > due)


def pass_by(case: CaseReferrals, told: Told, until: str, page: Page) -> None:
    """What is due at or before `until` and unanswered becomes a gap; where an engine speaks it is told, and climbs."""
    said: list[Derived] = []
    for name, gap in case.gaps.items():
        if not gap.awaited or gap.due > until:
            continue
        if not gap.passed:
            gap.passed = True
            _write(case, name, gap)
        if told.engine is None:
            continue
        if not gap.told:
            gap.told = True
            said.append(_overdue(case, name, gap, told.engine))
        if name == ANSWER:
            said += _climb(case, gap, told.ladder, told.engine, until)
    page.derived += sorted(said, key=lambda one: one.order)


def _climb(case: CaseReferrals, gap: Gap, ladder: Sequence[tuple[int, str]], engine: int, until: str) -> list[Derived]:
    """The rungs that are reached at or before `until`; one that was reached is never left but by an answer."""
    said = []
    before = gap.rung, gap.next_tell, gap.next_due
    gap.next_tell = gap.next_due = None
    for after, tell in ladder[gap.rung :]:
        due = hours_after(gap.due, after)
        if due > until:
            gap.next_tell, gap.next_due = tell, due
            break
        gap.rung, gap.tell, gap.rung_due = gap.rung + 1, tell, due
        said.append(_escalated(case, gap, tell, due, engine))
    if before != (gap.rung, gap.next_tell, gap.next_due):
        _write(case, ANSWER, gap)
    return said


def next_due(case: CaseReferrals) -> str | None:
    """When the next awaited answer, or the next rung, is due.

    NEVER where gaps passed and wait for an engine to tell them, or where rules adopted later may want an answer sooner,
    or have more rungs.
    """
    soonest, untold = None, case.unanswered
    for gap in case.gaps.values():
        if not gap.awaited:
            continue
        due = gap.next_due if gap.passed else gap.due
        if due is not None:
            soonest = due if soonest is None else min(soonest, due)
        untold = untold or (gap.passed and not gap.told)
    return NEVER if soonest is None and untold else soonest


def overdue_since(case: CaseReferrals, referral_id: str) -> str | None:
    """Since when a referral's recipient owes an answer."""
    names = (f"acknowledgement/{referral_id}", f"action/{referral_id}")
    gaps = (case.gaps.get(name) for name in names)
    return min((gap.due for gap in gaps if gap is not None and gap.awaited and gap.passed), default=None)


def _answer(case: CaseReferrals, name: str, gap: Gap, event: Taken) -> None:
    gap.awaited = False
    gap.next_tell = gap.next_due = None
    if gap.passed:
        gap.answered_at, gap.answered_by = event.time, event.type
        _write(case, name, gap)


def _write(case: CaseReferrals, name: str, gap: Gap) -> None:
    what, subject = name.split("/")
    answer = gap.answered_at, gap.answered_by
    climbed = gap.rung, gap.tell, gap.rung_due, gap.next_tell, gap.next_due
    row = (case.stream, what, subject, gap.step, case.unit, case.home, gap.due, *answer, *climbed)
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


def _escalated(case: CaseReferrals, gap: Gap, tell: str, due: str, engine: int) -> Derived:
    """Its seed is under that of its gap, so that where both are due at one moment the gap is told first."""
    data = ResponseEscalated(
        unit=case.unit,
        case_id=UUID(case.case_id),
        awaited=Awaited.REFERRAL_OR_DECISION,
        step=gap.step,
        rung=gap.rung,
        tell=tell,
        due=due,
    )
    seed = f"{_seed(case, ANSWER, gap)}/rung/{gap.rung}"
    return Derived(f"level/{case.unit}", case.home, seed, due, data, engine)


def _seed(case: CaseReferrals, name: str, gap: Gap) -> str:
    what, subject = name.split("/")
    return f"overdue/{case.case_id}/{subject or 'case'}/{what}/{gap.step}"
