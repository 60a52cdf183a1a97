"""Who sends: reporters, a committee, coordinators, referral officers, recipients and an admin. Nobody is real."""

from __future__ import annotations

from dataclasses import dataclass

from events.vocabulary import Role
from services.api.examples import HEALTH, POLICE


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in one role; who has two roles is in the cast twice."""

    name: str
    phone: str
    role: Role
    recipient: str | None = None


def _phone(number: int) -> str:
    return f"+2577911{number:04}"


REPORTERS = tuple(Person(f"reporter-{n}", _phone(n), Role.REPORTER) for n in range(1, 9))
COMMITTEE = tuple(Person(f"reviewer-{n}", _phone(20 + n), Role.REVIEWER) for n in range(1, 5))
COORDINATORS = tuple(Person(f"coordinator-{n}", _phone(30 + n), Role.COORDINATOR) for n in range(1, 3))
OFFICERS = tuple(Person(f"officer-{n}", _phone(40 + n), Role.REFERRAL_OFFICER) for n in range(1, 4))
RECIPIENTS = (
    Person("police", _phone(51), Role.RECIPIENT, POLICE),
    Person("health", _phone(52), Role.RECIPIENT, HEALTH),
)
ADMIN = Person("admin", _phone(60), Role.ADMIN)

EVERYBODY = (*REPORTERS, *COMMITTEE, *COORDINATORS, *OFFICERS, *RECIPIENTS, ADMIN)
