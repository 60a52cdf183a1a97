"""Who is silent among the reporters: for the coordinator who asks after them, and for nobody else."""

from __future__ import annotations

from services.acts.in_force import NotBegun
from services.api.country import ALL
from services.api.reading import Asked, Read, Reply


async def silent_reporters(asked: Asked) -> Reply:
    """Reporters who gave no sign of life for as many cadences as the rules in force say, the longest first.

    Who sent a report is not among them; no more is told of it. Without a rule for it, nobody is.
    """
    rules = asked.office.in_force.rules
    if rules is None:
        raise NotBegun("no rule set is adopted yet: an admin adopts one, or `intabaza begin`")
    if rules.coverage is None:
        return Reply({"missed_cadences": None, "silent": []})
    homes = None if asked.sight == ALL else asked.sight.homes
    silent = await asked.office.silence.silent(asked.office.desk.now(), rules.coverage, homes, asked.sees)
    rows = [
        {
            "person_id": str(one.person_id),
            "units": [asked.country.named(unit) for unit in one.units],
            "channel": one.channel,
            "cadence_days": one.cadence_days,
            "last_sign": one.last_sign,
            "silent_since": one.silent_since,
        }
        for one in silent
    ]
    return Reply({"missed_cadences": rules.coverage.missed, "silent": rows})


READS = (Read("/v1/reporters/silent", "read.silent-reporters", silent_reporters),)
