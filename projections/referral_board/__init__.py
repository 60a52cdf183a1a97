"""Who was asked to act, how far each has come, and who is overdue.

Rows: `referral_board`, one a referral, and `referral_board_count`, how many there are of each sort;
`referral_board_gap`, one for every answer that did not come in time, with when it came after all;
`referral_board_case`, what the fold knows of each case and when its next deadline passes.

A gap is an answer that is awaited by a moment (`awaited.py` says which). When that moment passes unanswered, the gap is
a fact: it gets its row and, where an engine speaks, is told once as `level.response_overdue`. It closes when the answer
comes, or when its case is closed. Its `step` counts how often it was opened: again where an outcome was contradicted,
anew where the deadline was moved after it had passed.

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
)
