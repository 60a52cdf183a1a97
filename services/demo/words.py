"""What invented people write: short sentences in Kirundi, French or English that name nobody.

A scenario holds nobody's own words. These say no more than its columns do, so that sealing has something to seal.
"""

from __future__ import annotations

from collections.abc import Mapping

from events.vocabulary import Kind, Language

RN, FR, EN = Language.KIRUNDI, Language.FRENCH, Language.ENGLISH
LANGUAGES: Mapping[Language, int] = {RN: 50, FR: 40, EN: 10}
"""The languages of messages, by weight."""

MESSAGES: Mapping[Kind, Mapping[Language, str]] = {
    Kind.TENSION: {RN: "Abantu bafise ubwoba.", FR: "Les gens ont peur, la tension monte.", EN: "People are afraid."},
    Kind.VIOLENCE: {
        RN: "Hari umutekano muke, abantu bagiriwe nabi.",
        FR: "Il y a eu des violences ici.",
        EN: "There was violence here.",
    },
    Kind.WEAPONS: {RN: "Hari ibirwanisho vyabonetse.", FR: "Des armes ont été vues.", EN: "Weapons were seen."},
    Kind.RUMOUR_OR_HATE_SPEECH: {RN: "Hari ibihuha.", FR: "Une rumeur circule.", EN: "A rumour goes round."},
    Kind.ELECTORAL_IRREGULARITY: {
        RN: "Hari ikibazo mu matora.",
        FR: "Il y a un problème avec les élections.",
        EN: "Something is wrong with the elections.",
    },
    Kind.DETENTION_OR_RIGHTS: {
        RN: "Hari abantu bafashwe.",
        FR: "Des gens ont été arrêtés.",
        EN: "People were arrested.",
    },
    Kind.DISPLACEMENT: {RN: "Hari abantu bahunze.", FR: "Des familles ont fui.", EN: "Families have fled."},
    Kind.PEACE_INITIATIVE: {
        RN: "Habaye inama y'amahoro.",
        FR: "Une rencontre pour la paix a eu lieu.",
        EN: "People met for peace.",
    },
    Kind.RESPONSE_UPDATE: {RN: "Hari icakozwe.", FR: "Quelque chose a été fait.", EN: "Something was done about it."},
    Kind.COMMITMENT_UPDATE: {RN: "Amasezerano.", FR: "Une promesse a été revue.", EN: "A promise was looked at."},
    Kind.NOTHING_TO_REPORT: {RN: "Nta kibazo.", FR: "Rien à signaler.", EN: "Nothing to report."},
}

PLACES: Mapping[Language, tuple[str, ...]] = {
    RN: ("hafi y'isoko", "ku musozi", "hafi y'ishure"),
    FR: ("près du marché", "sur la colline", "derrière l'école"),
    EN: ("near the market", "on the hill", "behind the school"),
}
"""Words for a place that no gazetteer finds."""

SUMMARY = "{kind}, {severity}: as the messages say it (invented words)."
NOTES = (
    "Told the same twice.",
    "Two neighbours say otherwise.",
    "Seen from afar.",
    "The place is right, the day is not.",
)
REASONS = (
    "Nothing that we could do would help now.",
    "We would put those who told us in danger.",
    "Others are at work there already.",
    "We look again in a week.",
)
"""Why the committee decides something else than to refer."""

RELEASED = "Looked at by a second person: the danger of waiting is greater."
CONSENT_MISSING = "The family does not want it to be known that they asked."
NOT_RATIFIED = "One account alone, and it changed when told again."
CORRECTED = "Asked back and put right."
CLOSED = "The work is over."
