"""What waits for whom, and since when: what is urgent first, then what waits longest.

Rows: `review_queue`, one for each thing that waits (`WHOM` in fold.py lists them); `review_queue_report` and
`review_queue_case`, what the fold knows of each stream. How many must agree on a grade is no business of the log, so a
report with grades waits both for more of them and for its conclusion, with the number that agree beside it: who reads
says how many are required. That a report changed after its case was assessed is seen when the two are read together
(`evidence_changed` in table.sql), since they are two streams.

What waits no more leaves the queue. What is known of its stream stays, since almost everything may go on: a closed case
is reopened, a concluded report is corrected and graded anew. Only a report that fell is over for good: of that one is
kept when it fell, and no longer what it said and who graded it.
"""

from projections.projection import Projection
from projections.review_queue.fold import Queue, QueueState
from projections.review_queue.table import QueueTable
from projections.seeing import BY_BODY

PROJECTION: Projection[QueueState, None] = Projection(
    "review_queue",
    1,
    Queue(),
    QueueTable(),
    seen={"review_queue_case": BY_BODY, "review_queue_report": BY_BODY},
)
