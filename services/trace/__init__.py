"""What an event rested on, and what rested on it: asked when something turns out to be wrong.

*A case stands*, at a moment, on its opening; on the reports that are linked to it then and were not withdrawn or
superseded since, with each link; on what it was classified, resolved, closed or reopened as last; on what the committee
said of it last (assessed, ratified or not ratified), and on all that it stood on when that was said, since what was
judged is what was known then; and on its mergings, with what the cases stand on that are merged into it. A report
received again stands on what it was received as before. A referral stands on its case, on the harm check and the
consent that it cites, on what these released, and on the referral that it follows.

*What rests on that*: every judgement, decision and referral of the case at its moment, and every step of a referral as
the referral did; every `level.level_changed` that lists the case, as the case stood at `effective_at`, and every answer
overdue; every `alert.issued` that went with such a change, or was told while it stood because people decided so; who
acknowledged such an alert; and every message by which a subscriber was told of one.

*What is taken back*: `report.withdrawn` and `report.superseded` take back the report, with all that it was received
as before, in whichever home; `case.report_unlinked` the link; `case.assessed` every assessment before it, and what the
case was opened as until then; `case.classified` every other kind that it was said to be, likewise; `case.not_ratified`
the opening; `case.merge_reversed` the merging; `case.consent_withdrawn` the consent; `case.reopened` the resolution,
unless the danger returned; `alert.override_ended` the override; an alert the one that it updates or cancels. Of such
an event all is listed that rested on it or on what it takes back, each with on which of them. Where it led to an alert
that corrects or cancels, the alerts in whose place that came are listed too, back to where their telling began, with
the changes of levels that they told.

*What it led to*: changes of levels that have its moment as `effective_at` and no midnight as their cause, and their
alerts. Where it took something back, these are the corrections. What it takes back while nobody watches a unit is held
until somebody does: then the first fall of the unit's level, with the cause `retraction`, at the moment of a sign of
life and of no act that takes back, is one of them, if the level that stood before the event named a case of it. From
such a change itself nothing is found that led to it.

*Where something may be lacking*: which reports belong to which cases, levels and messages are said by others, who come
after the ledger. An answer is `complete` only where nothing of its homes waits to be taken in or is parked, and nobody
is still to be told of its alerts; else each source says up to which position it speaks, and why. Every level of its
time stands on a rule set, a gazetteer or an engine that was adopted: of these it is said that they are not listed.

What was opened of a record (`custody.record_viewed`) rests on the event that was; nothing rests on its opening.

A checkpoint of the log (`custody.log_checkpointed`) rests on every position up to its size; none is listed.

Signs of life are not followed, nor is who sent a report: nobody is to find a reporter by what rests on their word. A
case beyond the ranks of a level that went straight to its level is not listed by it, and so not found from it.
"""
