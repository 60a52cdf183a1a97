"""A case as evidence: one zip that opens offline and says by itself whether its events are those that were signed.

*In it*, up to a position: the case with every case that was ever merged into it or that it was merged into; their
reports, with what each was received as before and later; of all these the whole streams, and their records of custody;
the changes of levels and the overdue answers that name one of the cases; the alerts that were told for these changes,
who acknowledged them, and the override for which one was told. Cases that are only related are named in it and are not
in it; so are registers, rules and gazetteers. Nothing that watches is: no reporter, no sign of life.

*Order*: everything is written but for the manifest; `custody.export_made` is appended, with the sum of the manifest;
then that is written and the zip gets its name. So no pack is there that the log does not know of. Nothing sealed is
opened.
"""
