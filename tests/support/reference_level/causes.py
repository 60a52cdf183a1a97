"""Why a level is another one now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from projections.rule_set import RuleSet
from projections.taken import Taken
from tests.support.reference_coverage import SIGNS
from tests.support.reference_level.adopted import in_force, rules_of, window
from tests.support.reference_level.cases import Case
from tests.support.reference_level.rows import Ladder, Row
from tests.support.reference_level.weights import weigh

CAUSES = {
    "case.opened": "evidence",
    "case.ratified": "evidence",
    "case.classified": "evidence",
    "case.assessed": "evidence",
    "case.reopened": "evidence",
    "case.merge_reversed": "evidence",
    "case.not_ratified": "retraction",
    "case.merged": "retraction",
    "case.resolved": "resolved",
    "case.closed": "resolved",
    "reference.rules_adopted": "rules",
    "reference.gazetteer_adopted": "gazetteer",
    "reference.election_dated": "election_window",
    **dict.fromkeys(SIGNS, "coverage"),
}


def says_less(before: Case, after: Case, rules: RuleSet) -> bool:
    """Whether a case is given less than it was, where an assessment by which it is takes back what was said."""
    any_day = date(2027, 1, 1)
    was, now = (weigh(case, rules, any_day, 1000, 1).given for case in (before, after))
    return rules.alerts.lower_assessment_corrects and now < was


def cause_of_event(
    log: Sequence[Taken], before: Mapping[str, Case], after: Mapping[str, Case], row: Row, fell: bool
) -> str:
    """Who is left unfounded in a row goes before who is founded again there; else it is the event's own cause.

    A case that was laid by is taken up by its own event, also by one that takes nothing from it.
    """
    event, rules = log[-1], rules_of(in_force(log) or "")
    turned = {
        case.unfounded
        for case in after.values()
        if case.row == row.unit and not case.laid_by and case.case_id in before
        if before[case.case_id].unfounded != case.unfounded
    }
    if turned:
        return "retraction" if True in turned else "evidence"
    case = before.get(event.stream.removeprefix("case/"))
    takes_up = case is not None and case.laid_by
    if takes_up and (event.type in ("case.report_linked", "case.report_unlinked") or "absorbed" in event.data):
        return "evidence"
    if event.type == "case.assessed" and case is not None and says_less(case, after[case.case_id], rules):
        return "retraction" if fell else "evidence"
    return CAUSES.get(event.type, f"nothing that {event.type} should change")


def cause_at_midnight(ladder: Ladder, log: Sequence[Taken], day: date, row: Row, fell: bool) -> str:
    """The window of a row with multiplied cases changed, or time went on."""
    rules = rules_of(in_force(log) or "")
    here = [case for case in ladder.cases.values() if case.row == row.unit and not case.laid_by]
    moved = window(log, rules, day) != window(log, rules, day - timedelta(days=1))
    as_of = row.lost_since or day
    multiplied = any(weigh(case, rules, as_of, 1000, ladder.gravity).multiplied for case in here)
    outside = row.unit.startswith("outside:")
    return "election_window" if moved and multiplied and not outside else "fading"
