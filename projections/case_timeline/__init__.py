"""Everything that happened to a case, with its reports, in order of recording.

Rows: `case_timeline_event`, one for every event of a case or a report, as it was recorded; `case_timeline_link`, one
for every change of what belongs to what. Both only grow. Which events belong to a case is asked when they are read
(`timeline` in table.sql): so linking a report of a thousand events writes one row, and undoing it another.
"""

from projections.case_timeline.fold import Timeline
from projections.case_timeline.table import SQL, TimelineTable
from projections.projection import Projection

PROJECTION: Projection[None, None] = Projection(
    "case_timeline",
    1,
    Timeline(),
    TimelineTable(),
    seen={"case_timeline_event": SQL["seen_event"], "case_timeline_link": SQL["seen_link"]},
    copied=frozenset({"case_timeline_event", "case_timeline_link"}),
)
