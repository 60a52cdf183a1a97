"""Replaying: the bytes of one long stream into the state of its case, against reading the same bytes as mere JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import orjson

from events.case.events import CaseDecided, CaseEvent, CaseOpened, CaseReportLinked
from events.case.state import Case, evolve
from events.catalogue import read
from events.envelope import Draft, splice
from events.event import Event
from events.sealed import Sealed
from events.vocabulary import Actor, Decided, Independence, Kind, Located, PlacePrecision, Role
from services import clock


def compare() -> None:
    """Print how fast a long stream becomes state."""
    replayed, loaded = replay_a_stream(events=1_000)
    ratio = replayed / loaded
    print(f"replay of a stream of 1,000 events: {replayed:,.0f} events/s, {ratio:.3f} of bare orjson.loads")


def replay_a_stream(*, events: int) -> tuple[float, float]:
    """Events a second into state, and of bare orjson.loads of the same bytes; the best of five each."""
    wires = _stream(events)

    def into_state() -> None:
        case = Case(UUID(int=1))
        for wire in wires:
            data: CaseEvent = read(wire).data  # type: ignore[assignment]
            case = evolve(case, data)
        assert case.version == events

    def into_json() -> None:
        for wire in wires:
            orjson.loads(wire)

    return events / _best(into_state), events / _best(into_json)


def _stream(count: int) -> Sequence[bytes]:
    sealed = Sealed(key_id=UUID(int=2), nonce="AAAAAAAAAAAAAAAA", ciphertext="A" * 107)
    place = Located(unit="bi:c2015:gihanga", precision=PlacePrecision.COMMUNE, gazetteer="0" * 64)
    opened = CaseOpened(kind=Kind.VIOLENCE, place=place, threat_to_life=False, provisional=False, summary=sealed)
    link = [CaseReportLinked(report_id=uuid4(), independent=Independence.YES) for _ in range(100)]
    decided = CaseDecided(choice=Decided.MONITOR, by=UUID(int=3), reason=sealed)
    events: list[Event] = [opened, *link, *[decided] * (count - 101)]
    actor, now = Actor(role=Role.REFERRAL_OFFICER, ref=UUID(int=4)), clock.now()
    return [
        splice(
            Draft(
                event_id=uuid4(),
                source="urn:intabaza:bench",
                stream="case/1",
                version=number,
                home="bi:c2015:gihanga",
                data=data,
                command_id=uuid4(),
                command_mac=b"m" * 32,
                actor=actor,
            ).body(),
            number,
            now,
        )
        for number, data in enumerate(events, 1)
    ]


def _best(run: Callable[[], None]) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)
