"""What another rule set would have said of the same history: levels, warnings and alerts of both, side by side.

This page defines what is compared. *Adopted* are the rule sets as they were really adopted, one after the other. The
*other* rule set is one file. Both are folded over every event of the log up to one moment by the very fold that
computes the levels of the network (projections/alert_level); nothing is written.

**The other rule set is in force from the first moment on which any was**: wherever the log adopts rules it adopts
these, every time. Before the first adoption nothing is computed on either side, so a rule set that is compared with a
log that never adopted another differs in nothing. Everything else is as it was: reports, judgements, ends, elections,
places, who watched, and what people decided to tell of a unit. What people would have done under other levels nobody
knows: they referred, acted and resolved as they did under the adopted ones, also where the other side would have
warned them.

**Days** are those of the other rule set's `time_zone`, from the day of the first adoption (*first*) to that of the
moment asked about (*last*), both included and counted as whole ones. The *level of a unit on a day* is the highest
that was said of it at any moment of that day; what a midnight changed was said from the beginning of its day. Before
anything was said of a unit it is 0. Counted are the units of which either side ever said anything; of the others both
say nothing.

**An alert day** is one on which a unit's level is `warned_from` or more (3, *alert*, where nothing else is asked),
the same number on both sides. **An alert** is an unbroken run of alert days of one unit.

**A case** is looked at as the log tells it in the end, the same for both sides: one of a kind that is a danger
(`DANGERS`), that was not merged into another, since that one tells it. Its *day* is the latest possible day of
`occurred`, but not after the day of its opening; where none is stated, the latest possible day of `expected`; else
the day of its opening. Its *unit* is the row in which its place counted on that day, by the gazetteer that was the
last one adopted by the end of it, else by the first one. It is *taken back* where the committee refused it, where it
stands on nothing any more, and where its last assessment says `confirmed_false`. It is *severe* where it is not taken
back and its last assessment says severe or extreme, *confirmed* where that says `confirmed_true` or `probably_true`.

**Lead time** of a severe case, on each side: where its day is an alert day of its unit, the number of days from the
first day of that alert, or from `MONTH` days before it where it stood for longer, to its day; 0 where the alert began
on that day. Where it is none, the first alert day within the `MONTH` days after it tells how many days late the
warning was, as a number below 0. Where there is none either, the case was *never warned of*. *Gained* is the other's
lead less the adopted one's, where both have one. Of a case whose day is before first or after last no lead is asked,
as what stood then is not known, nor of one that nobody could place.

**What became of an alert**, from the cases of its unit whose day is not more than `MONTH` days before its first or
after its last day:

1. *borne out*, where one was resolved as `harm_done` and not taken back, or is severe and confirmed;
2. else *prevented*, where one was resolved as `prevented` or `settled` and not taken back: nobody can say what would
   have come without it, so it is no false alarm;
3. else *unknown*: `no_case` where there is none, `too_early` where it is less than `MONTH` days over, `no_outcome`
   where one is not taken back and was never resolved, or as `unknown`;
4. else *false*: every one of them was taken back, or subsided without harm.

The share of false alarms is that of the false ones among those that are not unknown. An alert that only one side has
is one of which no day is an alert day of the same unit on the other.

**Alerts told** are the `alert.issued` that each side leads to, by `change`: what strangers would have been sent, each
side by its own `alerts.from_level`.

**What is left out**: a home that one of the two folds cannot take (the processors would have parked it, and no waiver
lets it go on) counts on neither side; it is named, with the position and the reason.
"""
