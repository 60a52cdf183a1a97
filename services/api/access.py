"""Which role may do what where: the one table. Whatever is not granted here is refused.

Reaches: EVERYWHERE; AREA, the units of their token, with all that lies in them; OWN, for a recipient the referrals made
to it, for a consumer the subscribers that it registered, for anybody their own stream and how far their own commands
have come; COUNTRY, what belongs to no unit. Area limits reading, reviewing and referring, never receiving.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from events.vocabulary import Role


class Reach(StrEnum):
    """How far a grant goes."""

    EVERYWHERE = "everywhere"
    AREA = "area"
    OWN = "own"
    COUNTRY = "country"


Grants = Mapping[Role, Reach]

_REPORTER, _COORDINATOR, _REVIEWER = Role.REPORTER, Role.COORDINATOR, Role.REVIEWER
_OFFICER, _RECIPIENT, _ANALYST, _AUDITOR = Role.REFERRAL_OFFICER, Role.RECIPIENT, Role.ANALYST, Role.AUDITOR
_CUSTODIAN, _CONSUMER, _ADMIN = Role.CUSTODIAN, Role.CONSUMER, Role.ADMIN


def _area(*roles: Role) -> dict[Role, Reach]:
    return dict.fromkeys(roles, Reach.AREA)


def _country(*roles: Role) -> dict[Role, Reach]:
    return dict.fromkeys(roles, Reach.COUNTRY)


_NETWORK = _area(_COORDINATOR, _REVIEWER, _OFFICER, _ANALYST) | {_AUDITOR: Reach.EVERYWHERE}
_RECORDS = _NETWORK | {_CUSTODIAN: Reach.EVERYWHERE}
_INSIDE = _country(_COORDINATOR, _REVIEWER, _OFFICER, _ANALYST, _AUDITOR, _CUSTODIAN, _ADMIN)
_RECEIVES = dict.fromkeys((_REPORTER, _COORDINATOR, _REVIEWER, _OFFICER), Reach.EVERYWHERE)
_REVIEWS = _area(_REVIEWER)
_TENDS = _area(_COORDINATOR, _REVIEWER)
_REFERS = _area(_OFFICER)
_WORKS = _area(_COORDINATOR, _REVIEWER, _OFFICER)
_ANSWERS = _area(_COORDINATOR, _OFFICER) | {_RECIPIENT: Reach.OWN}
_ADOPTS = _country(_ADMIN)
_SENDERS = dict.fromkeys((_REPORTER, _COORDINATOR, _REVIEWER, _OFFICER, _RECIPIENT), Reach.OWN)
_SUBSCRIBES = {_CONSUMER: Reach.OWN, _ADMIN: Reach.EVERYWHERE}
_EVERYBODY = _country(*(role for role in Role if role != Role.SYSTEM))

ACCESS: Mapping[str, Grants] = {
    # a report
    "report.receive": _RECEIVES,
    "report.grade": _REVIEWS,
    "report.recuse": _REVIEWS,
    "report.conclude": _REVIEWS,
    "report.correct": _WORKS,
    "report.withdraw": _WORKS,
    "report.supersede": _TENDS,
    # a case
    "case.open-case": _WORKS,
    "case.ratify": _REVIEWS,
    "case.not-ratify": _REVIEWS,
    "case.classify": _WORKS,
    "case.link-report": _WORKS,
    "case.unlink-report": _WORKS,
    "case.relate": _WORKS,
    "case.unrelate": _WORKS,
    "case.merge": _TENDS,
    "case.reverse-merge": _TENDS,
    "case.assess": _REVIEWS,
    "case.record-harm": _WORKS,
    "case.decide": _area(_REVIEWER, _OFFICER),
    "case.record-action": _WORKS,
    "case.check-harm": _REFERS,
    "case.release-check": _area(_OFFICER, _REVIEWER),
    "case.record-consent": _area(_COORDINATOR, _OFFICER),
    "case.act-without-consent": _area(_OFFICER, _REVIEWER),
    "case.withdraw-consent": _area(_COORDINATOR, _OFFICER),
    "case.refer": _REFERS,
    "case.acknowledge": _ANSWERS,
    "case.accept": _ANSWERS,
    "case.decline": _ANSWERS,
    "case.complete": _ANSWERS,
    "case.revoke": _REFERS,
    "case.fail-delivery": _area(_COORDINATOR, _OFFICER),
    "case.move-deadline": _REFERS,
    "case.check-outcome": _area(_COORDINATOR, _REVIEWER, _OFFICER),
    "case.resolve": _area(_REVIEWER, _OFFICER),
    "case.close": _area(_REVIEWER, _OFFICER),
    "case.reopen": _WORKS,
    # what strangers are told
    "alert.override": _area(_REVIEWER, _OFFICER),
    "alert.end-override": _area(_REVIEWER, _OFFICER),
    "alert.silence": _area(_REVIEWER, _OFFICER),
    "alert.end-silence": _area(_REVIEWER, _OFFICER),
    "alert.acknowledge": _area(_COORDINATOR, _REVIEWER, _OFFICER),
    # a reporter
    "reporter.enrol": _area(_COORDINATOR),
    "reporter.assign-coverage": _area(_COORDINATOR),
    "reporter.check-in": _area(_COORDINATOR) | {_REPORTER: Reach.OWN},
    "reporter.stand-down-reporter": _area(_COORDINATOR),
    # what concerns everybody
    "reference.adopt-rules": _ADOPTS,
    "reference.adopt-gazetteer": _ADOPTS,
    "reference.register-recipient": _ADOPTS | _country(_OFFICER),
    "reference.date-election": _ADOPTS,
    "reference.adopt-engine": _ADOPTS,
    "reference.waive-event": _ADOPTS,
    # who is told by webhook
    "subscriber.add": _SUBSCRIBES,
    "subscriber.change": _SUBSCRIBES,
    "subscriber.rotate": _SUBSCRIBES,
    "subscriber.disable": _SUBSCRIBES,
    "subscriber.enable": _SUBSCRIBES,
    "subscriber.resend": _SUBSCRIBES,
    "subscriber.remove": _SUBSCRIBES,
    "read.subscribers": _SUBSCRIBES,
    # reads; a custodian finds what is sealed where, a recipient what was referred to it
    "read.levels": _NETWORK | {_CONSUMER: Reach.AREA, _REPORTER: Reach.AREA, _ADMIN: Reach.EVERYWHERE},
    "read.level-reasons": _NETWORK | {_ADMIN: Reach.EVERYWHERE},
    "read.level-history": _NETWORK,
    "read.level-explanation": _NETWORK,
    "read.reports": _RECORDS,
    "read.cases": _RECORDS,
    "read.timeline": _RECORDS,
    "read.queue": _WORKS | {_AUDITOR: Reach.EVERYWHERE, _ANALYST: Reach.AREA},
    "read.referrals": _NETWORK | {_RECIPIENT: Reach.OWN},
    "read.referral-counts": _NETWORK,
    "read.case-referrals": _RECORDS,
    "read.gaps": _NETWORK,
    "read.trace": _NETWORK,
    "read.silent-reporters": _area(_COORDINATOR),
    "read.coverage": _NETWORK,
    # what belongs to no unit
    "read.places": _EVERYBODY,
    "read.gazetteer": _EVERYBODY,
    "read.elections": _EVERYBODY,
    "read.rules": _EVERYBODY,
    "read.alerts": _EVERYBODY,
    "read.standing-alerts": _NETWORK,
    "read.silences": _NETWORK,
    "read.recipients": _INSIDE,
    "read.committee": _INSIDE,
    # by which keys the log is verified is for everybody who may verify something of it; sizes, hashes and signatures of
    # the log tell how much is written, and when; its entries are all of it
    "read.log-keys": _EVERYBODY,
    "read.log": _country(_AUDITOR, _ADMIN),
    "read.log-entries": _country(_AUDITOR),
    "read.position": _SENDERS | {_AUDITOR: Reach.EVERYWHERE, _ADMIN: Reach.EVERYWHERE},
    # custody: what is under a person's own key opens, a case's texts leave in clear, and a person is erased, with two
    # approvers; a pack holds proofs, which tell how much is written, so nobody takes one who sees an area alone
    "custody.open": _area(_REVIEWER, _OFFICER) | {_RECIPIENT: Reach.OWN, _CUSTODIAN: Reach.EVERYWHERE},
    "custody.approve": _area(_REVIEWER, _OFFICER) | {_AUDITOR: Reach.EVERYWHERE, _CUSTODIAN: Reach.EVERYWHERE},
    "custody.take-evidence": {_AUDITOR: Reach.EVERYWHERE, _CUSTODIAN: Reach.EVERYWHERE},
    "custody.approve-evidence": _area(_REVIEWER, _OFFICER) | {_AUDITOR: Reach.EVERYWHERE, _CUSTODIAN: Reach.EVERYWHERE},
    "custody.erase-person": _country(_CUSTODIAN),
    "custody.approve-erasure": _country(_REVIEWER, _OFFICER, _AUDITOR, _CUSTODIAN),
}
"""Operation → who may do it and how far. A command's operation is its noun and its name in kebab case.

`read.level-reasons` is no route: who may read levels and not their reasons is told what an alert would tell them.
"""


OPEN_TO_ALL = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json", "/problems/{number}"})
"""Addresses that ask for no token: they say how the process is, and what the API is, and nothing of anybody."""


def reach(operation: str, role: Role) -> Reach | None:
    """How far this role may do this; None is not at all."""
    return ACCESS[operation].get(role)
