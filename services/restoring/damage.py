"""Why a ledger is not restored: each a sentence that says what was found, where, and what to do.

NotRestored       nothing more is written; what was written before is right, and the door to appends stays shut
├── Damaged          Kafka contradicts itself, or is no log of ours
├── Hole             Kafka goes on behind a position that neither it nor the ledger has
├── NothingToGiveUp  what somebody wants to give up is behind no hole
├── WhichClock       nothing says whether the ledger had a scenario's clock
├── OtherClock       the ledger has another clock than somebody says
└── OtherHistory     the ledger holds something else than Kafka, or something that Kafka lacks and goes on behind
"""

from __future__ import annotations

from datetime import datetime

from kafka import TopicPartition

from events.vocabulary import wire_time
from services.local_problem import LocalProblem


class NotRestored(LocalProblem):
    """The ledger cannot be completed from this Kafka as it is."""


class Damaged(NotRestored):
    """Kafka contradicts itself."""

    def __init__(self, at: TopicPartition, offset: int, what: str) -> None:
        super().__init__(
            f"{at.topic} partition {at.partition} is damaged at offset {offset}: {what}. Nothing was restored from "
            "there on. Where the ledger still has everything, `intabaza relay republish` mends Kafka; else take the "
            "topics from another replica or a backup of the broker's data, and begin again"
        )


class Hole(NotRestored):
    """A position is nowhere, and later ones are there."""

    def __init__(self, position: int, at: TopicPartition, offset: int, later: int) -> None:
        self.position = position
        super().__init__(
            f"Position {position} is neither on Kafka nor in the ledger, and {at.topic} partition {at.partition} "
            f"goes on with position {later} at offset {offset}. The ledger was restored up to {position - 1}, and the "
            "door to appends stays shut. Put a newer backup of the ledger back, if there is one, and begin again. "
            "Where there is none, the relay was sending what lies behind when both were lost, and no ledger can hold "
            f"it: `intabaza ledger restore --give-up-from {position} --into FILE` writes it to a file, ends the ledger "
            "before it and has the topics made anew"
        )


class NothingToGiveUp(NotRestored):
    """Somebody wants to give up what is not behind a hole."""

    def __init__(self, position: int, head: int) -> None:
        super().__init__(
            f"Nothing was given up: position {position} is no gap. The ledger goes up to {head} now; leave "
            "`--give-up-from` out, and the sentence names the gap, where there is one"
        )


class WhichClock(NotRestored):
    """Nothing is left that says which clock the ledger had, and Kafka leaves it open."""

    def __init__(self, position: int, recorded_at: datetime, sent_at: datetime) -> None:
        super().__init__(
            f"Nothing was restored: nothing is left of this ledger that says which clock it had. The last event on "
            f"Kafka, position {position}, was recorded at {wire_time(recorded_at)} and sent at {wire_time(sent_at)}. "
            "Where that is a scenario's (`intabaza demo`), say `--simulated`. Where it is a real network's whose "
            "topics were made anew since, or whose relay was away so long, say `--real`: that can never be taken back"
        )


class OtherClock(NotRestored):
    """Somebody says of a ledger that its clock is another than it has."""

    def __init__(self, *, really_simulated: bool) -> None:
        super().__init__(
            "This ledger is a scenario's, and `--real` says otherwise: leave it out, or name the data folder of the "
            "network in INTABAZA_DATA_FOLDER"
            if really_simulated
            else "This ledger is a real one, begun with the database's clock, and `--simulated` says otherwise: leave "
            "it out, or name the data folder of the scenario in INTABAZA_DATA_FOLDER"
        )


class OtherHistory(NotRestored):
    """Ledger and Kafka tell different histories."""

    def __init__(self, position: int, at: TopicPartition, offset: int, what: str) -> None:
        self.position = position
        super().__init__(
            f"Ledger and Kafka tell different histories from position {position} on: {at.topic} partition "
            f"{at.partition} at offset {offset} {what}. Nothing was changed, and the door to appends stays shut. "
            "Somebody appended to a ledger that lacked events, or one of the two is of another network. Nothing merges "
            "the two: keep a copy of this ledger, since what it holds from there on is nowhere else, put back a backup "
            "from before that position, begin again, and have sent again what was taken meanwhile"
        )
