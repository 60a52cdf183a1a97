"""Who was asked to act, how far each has come, and who is overdue.

Rows: `referral_board`, one a referral, and `referral_board_count`, how many there are of each sort;
`referral_board_gap`, one for every answer that did not come in time, with when it came after all;
`referral_board_case`, what the fold knows of each case and when its next deadline passes.

**A gap** is an answer that is awaited by a moment. When that moment passes unanswered, the gap is a fact: it gets its
row and, where an engine speaks, is told once as `level.response_overdue`. It closes when the answer comes, or is
awaited no more. Its `step` counts how often it was opened: again where an outcome was contradicted, anew where the
deadline was moved after it had passed. A moment passes for a case before its own next event of those on which anything
here rests, and at the next broadcast.

**What is awaited.** Of each referral an acknowledgement and an act by its own deadlines, also where its case was merged
away; of a provisional case a vote, by `ratify_by`; of a grave case an answer (`referral_or_decision`). The latter two
are not asked of a case merged away, and nothing is of one that is closed.

**A grave case** is severe or extreme: by its latest assessment; before one by what was stated when it was opened,
provisional or not, or severe where nothing was stated and life is threatened. It is **answered** while a referral of
its own is accepted, or was completed successfully after it was opened or last reopened, or once somebody decided (also
not to act) or recorded an act since it is grave, was last reopened or had an outcome contradicted. A referral that was
only made or acknowledged, did not arrive, was declined, revoked, or completed without success answers nothing, and
where it had answered (it was accepted first) does so no more. One whose deadline passes still answers for the case: its
own gap is open instead. What was decided about a lesser case does not answer a grave one; what was about a severe case
answers when it is extreme. A report taken back alone ends nothing: a case that fell is on the list until somebody
decides, resolves or closes it, since who may have had a report taken back is a question for people.

**By when.** An open grave case that is unanswered is asked from the moment on from which that is so: it became grave,
what answered it came to nothing, its outcome was contradicted, it was reopened. The target is as many hours later as
the rules say for its severity: the rules in force when it got that severity, or, where the rules in force say
`open_cases_too`, those. Where its severity changes between two grave ones meanwhile, it is asked once more from then
on, and the earliest of the targets counts: a graver case is wanted sooner, a less grave one keeps what was promised.
When another case is merged into it that had waited in vain (`asked_since`), it is asked from that moment on, too, by
its own severity: no wait begins anew by merging. Parted again, it is not. An earlier target opens no gap that is open.
When rules that say `open_cases_too` are adopted, every target that has not passed is counted anew by their hours from
when it was asked, and one that then lies in the past passes at once. What has passed has passed, whatever rules come
later.

**The ladder** (`[[response.ladder]]` of the rules in force; none, where they have none) is climbed by
`referral_or_decision` alone. Where an engine speaks, the gap reaches rung n when the hours of the nth rung are over
since its target, and each is told once as `level.response_escalated`: whom (a role), how far, since when. It fires as
any due does; rungs with 0 hours with the gap itself, after it. It is left by the answer alone, whatever answers the
case or takes it from the list: decided, a referral accepted, found lesser, resolved, closed, merged away. What opens it
again begins a new `step`, below the first rung. Parted from the case it was merged into, it stands where it stood, and
reaches at once what fell due meanwhile; the case it was merged into is asked by its own severity, which the door takes
care not to be less where the one that goes away is severe or extreme. Rules adopted midway take nothing back: a gap
keeps the rung it has, goes on with the number above it in the new ladder, and reaches at once what is over by that; on
a shorter one it stays where it is. An engine that begins to speak lets a gap climb all that is over by then, in order.

Nothing of a closed case falls due, so none is kept in memory. Its rows stay: it may be reopened and goes on from them
(severity, referrals, which step each gap has reached), and an answer that came too late is a record in itself.
"""

from projections.projection import Projection
from projections.referral_board.case import CaseReferrals
from projections.referral_board.fold import Referrals
from projections.referral_board.table import ReferralTable
from projections.referral_board.told import Told
from projections.seeing import BY_RECIPIENT

PROJECTION: Projection[CaseReferrals, Told] = Projection(
    "referral_board",
    1,
    Referrals(),
    ReferralTable(),
    seen={"referral_board": BY_RECIPIENT, "referral_board_count": BY_RECIPIENT},
    form=3,
)
