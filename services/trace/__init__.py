"""What an event rested on, and what rested on it: asked when something turns out to be wrong.

*A case stands*, at a moment, on its opening; on the reports that are linked to it then and were not withdrawn or
superseded since, with each link; on what the committee said of it last (assessed, ratified or not ratified), and on all
that it stood on when that was said, since what was judged is what was known then; and on what the cases stand on that
are merged into it. A report received again stands on what it was received as before.

*What rests on that*: every judgement, decision and referral of the case at its moment, and every step of a referral as
the referral did; every `level.level_changed` that lists the case, as the case stood at `effective_at`, and every answer
overdue; every `alert.issued` that went with such a change, or was told while it stood because people decided so; and
every message by which a subscriber was told of such an alert.

*What is taken back*: `report.withdrawn` and `report.superseded` take back the report; `case.report_unlinked` the link;
`case.assessed` the assessment before it; `case.not_ratified` the opening; `case.merge_reversed` the merging;
`alert.override_ended` the override; an alert the one that it updates or cancels. Of such an event all that rested on
what it takes back is listed.

*What it led to*: changes of levels that have its moment as `effective_at` and no midnight as their cause, and their
alerts. Where it took something back, these are the corrections.

Signs of life are not followed, nor is who sent a report: nobody is to find a reporter by what rests on their word. A
case beyond the ranks of a level that went straight to its level is not listed by it, and so not found from it.
"""
