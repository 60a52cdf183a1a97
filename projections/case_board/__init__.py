"""Which cases are open, where, how bad, and what is due next: provisional ones first, then by the next deadline.

Rows: `case_board`, one a case, also of those that left the board (closed, not ratified, merged away), so that they can
be found; `case_board_fallen`, one for each report that was withdrawn or received again elsewhere, since such a report
stands under no case. Such rows stay, since a case that left may come back and goes on from its row; they have left the
indexes by which a board is read, and memory holds none of them. A board counts a case's own reports and those of the
cases it absorbed, each once.
"""

from projections.case_board.fold import Board, CaseBoardState
from projections.case_board.table import SQL, BoardTable
from projections.projection import Projection

PROJECTION: Projection[CaseBoardState, None] = Projection(
    "case_board", 1, Board(), BoardTable(), seen={"case_board_fallen": SQL["seen_fallen"]}
)
