"""How bad is it, unit by unit: what the open cases add up to, why, and since when.

This page defines the level. Words in `code` are keys of the rule set (projections/rule_set; deploy/rules says why
each number is what it is). Points are whole thousandths, shares whole permille; `a × s` means `a * s // 1000`,
rounded down at that very step. A *day* is a day of `time_zone`; *midnight* is the moment at which one begins.

**What is looked at.** Events of mode `actual`: those of `case/` streams named in `case.FACTS` and `case.opened`;
`report.withdrawn` and `report.superseded`; those named in `watching.SIGNS`, which say who watches and that they do;
rules, gazetteers, elections and engines adopted. An event of a case that was never opened changes nothing.

**Words that no table knows count as not given.** A kind gives no points and is no peace; a severity is looked for at
the next place (1); a credibility or a circulation is that of a case not assessed (1); a verification state disproves
nothing; an outcome is `unknown`; a precision is that of a day; a reason to reopen is none that returns the danger; a
round of elections has no window, and a standing of one is not cancelled.

**Before any rules are adopted nothing is computed**: a unit's level is null, only its open cases are counted. Rules
adopted (cause `rules`) weigh everything anew as of that moment; the first ones start from level 0.

**Where a case counts.** In the row of its place (`Gazetteer.row_at`): a commune for communes, zones and hills; units
above communes have rows of their own, never spread over communes. Without a gazetteer every place is its own row. A
gazetteer adopted later moves cases to other rows of their home (cause `gazetteer`); the rows they leave stay, at what
is left. `outside:` units have a level like any other, but no election's window and no alert. `unplaced` counts open
cases and outcomes asked for; it has no level, points, list or window, since nobody knows where to look.

**What is known of a case.** Its kind is that of `opened`, then of the latest `classified`. It is *open* until
resolved, closed, merged into another or not ratified. `reopened` undoes the first two and the last, `merge_reversed`
the third; a ratification undoes an earlier refusal. Of a merging and its reversal there is an event in both cases: the
one that names `into` does all of it, for both; the one that names `absorbed` changes nothing, so nobody is told of a
level in between. A case is merged into the one that its latest merging names, until a reversal, whatever that names. A
case opened as *provisional* is so until it is ratified or refused; it is open and counts like any other, at a
credibility of its own until it is assessed (1). Its *links* are reports linked and not unlinked, withdrawn or
superseded since, whatever became of it meanwhile: a case that was resolved, closed, refused or merged loses a report as
any other does, and is without it when it comes back.

**What a case stands on.** First on *ground of its own*, which it has from its opening on. It loses that with the event
that takes its last link away, unless it is provisional then, which stands on who opened it; a report linked to it is
ground again. Then on the ground of every case merged into it, directly or through another, for as long as they are
merged: it stands for them, and what speaks for one of them speaks for it, be it a report, who opened a provisional one
or what the committee said of it. Where neither is left it is *unfounded*. A case that is unfounded when it is assessed,
ratified or reopened has ground of its own by that; one that is not keeps what it has, since what was judged is what was
known then: ground that is lost after it is lost all the same. No ground ever moves from case to case. So it is the same
whether a report was lost before a merging or after it; and a merging that is reversed leaves each of the two with what
it had and what came to it or left it since, as if it had never been.

1. *Severity*: as last assessed; else as stated at its opening; else `unassessed.severity_of_threat` for a threat to
   life, `unassessed.severity` otherwise. *Credibility*, in permille: by `credibility` as last assessed; before that
   `unassessed.provisional` while provisional, `.ratified` once ratified, else `.credibility`. Where the kind is
   `scored_by = "circulation"`: by `circulation` as last assessed, before that `unassessed.circulation`.
2. **given** = `points` * severity * credibility // 1000000. It is 0 where the case is merged, not ratified or
   unfounded, for kinds without points, and where its last assessment says a state of `disproved` (not for kinds
   scored by circulation).
3. *Reference day*: the latest of: the latest possible day of `occurred`, but not after the day of its opening; the
   latest possible day of `expected`; the day of the latest reopening with the reason `danger_returned`. Where none is
   known, the day of its opening. The latest possible day is the later of from and to; with the precision `week` the
   Sunday of its week, with `month` the last day of its month. So an expected case does not fade before `expected.to`.
4. *Left* on a day: the share of the last step of `fade` whose days are not more than the day minus the reference day;
   1000 before the first. **remaining** = given × left × *ending*, where the ending is `ended.resolved` of the latest
   outcome for a resolved case (`unknown` for an outcome it does not list), `ended.closed` for one closed and not
   resolved, else 1000. **faded** = given - remaining: what time and its end took.
5. **floor** = min(given, `floors` of its severity) for an open case of a `floored` kind, else 0. **standing** =
   max(remaining, floor).
6. **weighted** = standing × window for a kind that is `in_window`, else standing. The *window* of a day is the
   largest `permille` of the elections it lies in, 1000 outside of any: an election of a round in `windows`, not
   cancelled, from `campaign_from` (not after polling day; else `days_before` days before it) to `days_after` days
   after, both included; the election as it was last dated. `window_permille` of a row is the window where a case in it
   stands above 0 and is of a kind that is `in_window`, else 1000.
7. Cases of a unit are ranked by weighted, the largest first, equals by case id; zeros are left out. **counted** =
   weighted × `ranks`[rank]. As many are listed (`contributions`) as there are ranks, also one that counts 0; those
   beyond count nothing and are not listed, but are open, block peace (8) and go straight to a level (10) as others do.
8. *Peace*: a case of a kind of `peace.kinds` gives no points but has a **worth** = given × left, with given = its
   `points` × credibility and 0 as in 2; where `kept_when` is stated, only while it is resolved with such an outcome.
   Worth does not depend on severity or ending; what faded is given - worth. Peace cases are ranked, counted and listed
   (`peace`) like the others, among themselves. They are left out altogether, and none is listed, while a case of
   another kind is open whose given is above 0 and whose severity is in `peace.blocked_by`. **peace_offset** = min(sum
   of their counted, (sum of counted of `softened` kinds) × `peace.share`). A worse case never lowers the points, but
   for one thing: where one of a `softened` kind overtakes one of another kind while peace takes off all that it may,
   more may be taken off than is added.
9. **points** = sum of counted - peace_offset.
10. *Straight to*: while a case of a kind that is no peace kind is open and assessed, with a given above 0 and the
    severity `straight_to.severity`, the level is at least `straight_to.level`. It blocks peace, where that severity
    is in `peace.blocked_by`.
11. **level** = max(up, min(before, down), straight to), where up is how many of `levels.up` the points reach, down
    how many of `levels.down`, and before the row's level so far, 0 for a new row. So it is also after a correction: a
    level that only what was taken back had reached stays as long as the points that are left are not below its `down`.

12. *While coverage is lost*, so while nobody watches the unit, its cases fade (4, 8) up to the day on which it was lost
    and no further; all else is of the day itself, so that a window that begins then counts. And its level is at least
    the one so far: it may rise and never falls, whatever is resolved, taken back or counted otherwise meanwhile. A row
    that is lost under another gazetteer is so since the earliest day, and at least at the highest level, of the rows
    that were lost under the one before and of which it has a place that anybody was ever assigned to.

    With `coverage.corrects_later` the row remembers meanwhile that something was *taken back*: an event whose cause in
    it is `retraction`, and by which what its points and 10 come to, from the level so far, is less. It remembers that
    as long as they come to less than its level, also under another gazetteer (then of every row as above); and where
    its level falls at the sign by which somebody watches again, the cause is `retraction`: whoever was told of it is
    told that it was not so, as if it had been taken back then. Whatever lowers it otherwise is part of that.

Beside it: `open_cases` (of all kinds), `outcomes_asked` (open cases whose last expected day is over: somebody should
say how it went), `confidence` with its reason, and `last_known`, the day on which coverage was lost, while it is.

**How well a unit is watched** is said in projections/watching, with the numbers of `coverage`; where the rules have no
such table, it is unknown of every unit. A unit that somebody was ever assigned to has a row, also without cases. It is
looked at anew at each event that may change it (a sign, rules, a gazetteer) and at each midnight; where it falls lost
at a midnight, it is so before that midnight weighs anything: cases fade up to that day, and the level does not fall
with it. Once somebody watches again, cases fade as of the day itself, as if there had been no pause, and the level is
settled anew.

**When.** An event is folded after every midnight at or before its moment, and as of its own day. A level that changes
at a midnight has that moment as `effective_at`, and the cause `election_window` where the window of a row with cases
that are multiplied after it changed then, else `fading`. Causes of events: `retraction` in the row of a case that the
event leaves unfounded, else `evidence` in that of one which it founds again, be it the event's own case or one that
stands for it; in other rows `evidence` for opened, ratified, classified, assessed, reopened, merge_reversed;
`retraction` for not_ratified, merged, and for assessed where the case's given is less by it, the level of the row falls
and `alerts.lower_assessment_corrects`, since what was told of it was not so (a level that rises by it, because the case
is graver while less certain, or of a kind of peace, is evidence); `resolved` for resolved and closed;
`election_window` for election_dated; `coverage` for a sign, which changes a level only where somebody watches again
(`retraction` where something was taken back meanwhile, see 12).
Units that change together do so in order of their ids.

**Laid by.** At a midnight, a case that is not open, stands at 0 and has no worth is laid by: it is in no row, and
rules, gazetteers and time pass it over until an event of its own takes it up again, as it was (cause as above,
`evidence` where that event is a report linked or unlinked, or a case merged into it or taken apart from it). A report
that is withdrawn or superseded is lost to it, and does not take it up; nor does what becomes of cases merged into it.
The case that it was merged into stands on it all the same. Cases laid by are all that grows with the log, so they are
kept small: so many bytes for each of them, each of their links and each merging (`laid_by`).

**What is said.** Nothing before an engine is adopted. At its adoption the differences to what the log says (0 where
nothing was said) are said with the cause `engine`; afterwards every change. Seeds are `level/<unit>/<n>` and
`alert/<unit>/<n>`, n counting what was said of the unit, whichever engine said it. A history line is written for every
change of every engine, spoken or not; adoptions change no level and write none.

**What people decide.** `alert.overridden` says which level strangers are told of a unit until a moment; the computed
one goes on, is said as before, and stands beside it. An override *stands* from its event, unless its moment is over by
then, until that moment, until `alert.override_ended`, until another of the unit, which takes its place, or until a
gazetteer is adopted under which the unit is no row: people decide anew on the one that its people live in. While it
stands, the *told* level is its own; but where the level said is above both its own and the lowest that was said since
it was decided, it is the level said: an override never hides a rise. Where none stands, the told level is the level
said.
Where something falls due at the moment at which an override ends, that is first. No case, row or history is touched by
any of it.

**What strangers are told.** With a change of the told level, where an engine speaks, goes an `alert.issued`, where the
level that it reaches is `alerts.from_level` or more, or where an alert *stands*: the last one of the unit, if the level
that it told of was that high by the rules of its time. So the first alert of a unit and the one that ends it are told,
and every change between them; a change below is told to nobody, nor is anything of `outside:` units, nor a change of
rules or names by itself.

- `change` is `raised` or `lowered`, as the level was, where the cause is `evidence`, `fading`, `resolved` or
  `election_window`, and `lowered` where it fell and the cause is `coverage`. Any other (`retraction`, `rules`,
  `gazetteer`, `engine`; `coverage` where the level rose, because what peace took off went by meanwhile) changed what is
  known or how it is counted and is never shown as an escalation: `corrected` where the level is `alerts.from_level` or
  more, `cancelled` where it is below and nothing is left to warn of.
- `cancels` names the alert that stands where this one is `cancelled`, `updates` names it otherwise; neither is there
  where none stands. An alert that tells of a level below `alerts.from_level` does not stand, however it is called.
- Where people decide that a higher level is told than before, it is `raised`; whatever else follows from an override or
  its end is `corrected` or `cancelled`, as by causes that correct.
- `from` and `to` are told levels, `rules_hash` is that of the rules in force, `on` the day of the change's
  `effective_at`, or of the moment at which an override begins or ends; the name and the codes of the unit are those of
  the gazetteer in force, its id and no codes where that does not know it. `kinds` are the `group`s of the cases that
  `contributions` would list then and that count more than 0; peace has none.
"""

from projections.alert_level.fold import ENGINES, AlertLevel, Home
from projections.alert_level.shared import NAME, Shared
from projections.alert_level.table import AlertLevelTable
from projections.projection import Projection

PROJECTION: Projection[Home, Shared] = Projection(NAME, max(ENGINES), AlertLevel(), AlertLevelTable(), form=3)
