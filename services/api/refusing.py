"""Which problems an operation can be answered with, for its description.

What a decision refuses is read from the code of the decision itself, so that no list beside it can be forgotten; what
the way there refuses is the same for every command, and stands here.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from events.case import opening
from events.case.refusals import NoSuchCase, NoSuchReferral
from events.command import Command
from events.custody import ClearNeedsApprovers, MayNotOpen, NeedsApprovers
from events.places.faults import GazetteerFaulty, NoSuchDivision, NoSuchUnit
from events.reference import AdoptGazetteer
from events.refusals import BadInput, Refusal
from events.report import decisions as report
from events.report.refusals import NoSuchReport
from services import area
from services.acts import placing
from services.acts.case import INFORMED
from services.api import problems
from services.api.commanding import Route
from services.api.custody import Post
from services.api.erasing import ErasePerson, ErasureAct
from services.api.evidence import EvidenceAct, TakeEvidence
from services.api.problems import Kind, kind_of
from services.api.reading import Read
from services.api.reads.then import AS_OF
from services.api.subscribing import Rotate, SubscriberAct, Wanted
from services.desk.reading import AnotherMode, MovedOn
from services.ledger import ledger
from services.notary.signed import NothingCosigned
from services.subscribers.refused import (
    NoSuchSubscriber,
    OwnerErased,
    SubscribedAlready,
    TooManySecrets,
    TooManySubscribers,
)
from services.vault import refused as vault

WHO_ASKS = (problems.NO_TOKEN, problems.NOT_THIS_ROLE, problems.TOO_MANY)
BODY = (problems.NO_JSON, problems.TOO_LARGE_BODY, problems.OTHER_MEDIA_TYPE, problems.BAD_FIELD)
OURS = (problems.OUR_FAULT,)
AWAY = (
    problems.NOT_READY,
    problems.LEDGER_AWAY,
    problems.VAULT_AWAY,
    problems.NOT_KNOWN,
    problems.DOOR_SHUT,
    problems.CLOCK_DOUBTFUL,
)

EVERY_COMMAND: tuple[Kind, ...] = (
    *WHO_ASKS,
    *BODY,
    problems.NO_COMMAND_ID,
    problems.BAD_PARAMETER,
    problems.BAD_PRECONDITION,
    problems.LEDGER_AWAY,
    problems.VAULT_AWAY,
    problems.NOT_KNOWN,
    problems.DOOR_SHUT,
    problems.CLOCK_DOUBTFUL,
    *OURS,
    *(
        problems.REFUSALS[one]
        for one in (
            ledger.Conflict,
            ledger.CommandReused,
            ledger.CommandBurned,
            ledger.KeyDestroyed,
            ledger.TooLarge,
            vault.KeyGone,
            MovedOn,
        )
    ),
)

ELSEWHERE: Mapping[type[Command], Sequence[type[Exception]]] = {
    report.Receive: (placing.AmbiguousPlace, placing.UnknownPlace, vault.SourceDiffers),
    opening.OpenCase: (placing.AmbiguousPlace, placing.UnknownPlace),
    report.Supersede: (vault.SourceDiffers, vault.CannotOpen),
    AdoptGazetteer: (GazetteerFaulty,),
}
"""What is refused on the way to a decision, of one command alone."""


def of_command(route: Route) -> frozenset[Kind]:
    """Everything that a command can be answered with."""
    refusals: set[type[Exception]] = {*decided(route.command), *ELSEWHERE.get(route.command, ())}
    if route.noun in ("report", "case"):
        refusals |= {AnotherMode}
        if route.about or route.noun == "case":
            refusals |= {ledger.HomeChanged}
        if route.about:
            refusals |= {NoSuchReport} if route.noun == "report" else {NoSuchCase, NoSuchReferral}
        elif route.noun == "case":
            refusals |= {area.OutsideArea}
    if route.noun in ("reporter", "alert"):
        refusals |= {area.OutsideArea, NoSuchUnit, AnotherMode}
    begun: tuple[Kind, ...] = (problems.NOT_READY,) if route.needs_network else ()
    begun += (problems.NO_SUCH_PAGE,) if route.about else ()  # an id with a slash in it is another address
    return frozenset({*EVERY_COMMAND, *begun, *map(_kind, refusals)})


def of_read(read: Read) -> frozenset[Kind]:
    """Everything that a read can be answered with."""
    kinds = {*WHO_ASKS, *OURS, problems.BAD_PARAMETER, problems.READS_AWAY, problems.LEDGER_AWAY, problems.NOT_READY}
    if "{" in read.address:
        kinds |= {problems.NO_SUCH_PAGE}
    names = {one.name for one in read.parameters}
    if read.paged or "cursor" in names:
        kinds |= {problems.BAD_CURSOR}
    if "{unit}" in read.address or names & {"unit", "within", "serves"}:
        kinds |= {_kind(NoSuchUnit)} | ({_kind(area.OutsideArea)} if "{unit}" in read.address else set())
    if "division" in names:
        kinds |= {_kind(NoSuchDivision)}
    if AS_OF in read.parameters:
        kinds |= {problems.NOT_YET}
    for part, refusal in (
        ("{report_id}", NoSuchReport),
        ("{case_id}", NoSuchCase),
        ("{referral_id}", NoSuchReferral),
        ("{subscriber_id}", NoSuchSubscriber),
    ):
        if part in read.address:
            kinds |= {_kind(refusal)}
    if "{alert_id}" in read.address:
        kinds |= {problems.NO_SUCH_ALERT}
    if "{silence_id}" in read.address:
        kinds |= {problems.NO_SILENCE}
    if "{event}" in read.address:
        kinds |= {problems.NO_SUCH_EVENT, problems.TOO_MUCH_RESTS_ON_IT}
    if read.operation == "read.log-keys":
        kinds |= {problems.NOTHING_SIGNED, problems.NO_LOG_KEYS, problems.CHECKPOINT_ALTERED}
    if read.operation in ("read.log", "read.log-entries"):
        kinds |= {problems.NOTHING_SIGNED, problems.TREE_BEHIND, problems.TREE_DAMAGED, problems.CHECKPOINT_ALTERED}
        kinds |= {problems.NOT_SIGNED} if names - {"witness"} or "{" in read.address else set()
        kinds |= {_kind(NothingCosigned)} if "witness" in names else set()
    if "{bundle}" in read.address:
        kinds |= {problems.NO_BUNDLE}
    if "{case_id}/referrals" in read.address:
        kinds |= {_kind(NoSuchReferral)}
    if "{recipient}" in read.address or "recipient" in names:
        kinds |= {problems.NO_SUCH_RECIPIENT, _kind(area.OutsideArea)}
    return frozenset(kinds)


def of_post(post: Post) -> frozenset[Kind]:
    """Everything that an act of custody can be answered with."""
    absent = (NoSuchReport,) if post.noun == "report" else (NoSuchCase, NoSuchReferral)
    refusals = (
        *absent,
        MayNotOpen,
        NeedsApprovers,
        vault.NotSealed,
        vault.KeyGone,
        vault.NoSuchKey,
        vault.CannotOpen,
        vault.ApprovalUsed,
        AnotherMode,
    )
    ledgers = (ledger.Conflict, ledger.KeyDestroyed, ledger.TooLarge)
    return frozenset(
        {
            *WHO_ASKS,
            *BODY,
            *OURS,
            problems.BAD_PARAMETER,
            problems.NO_SUCH_PAGE,
            *AWAY,
            *map(_kind, (*refusals, *ledgers)),
        }
    )


def of_evidence_act(act: EvidenceAct) -> frozenset[Kind]:
    """Everything that an act about evidence can be answered with."""
    kinds = {*WHO_ASKS, *BODY, *OURS, *AWAY, problems.BAD_PARAMETER, problems.NO_SUCH_PAGE, _kind(NoSuchCase)}
    kinds |= {_kind(vault.KeyGone)}
    if act.body is TakeEvidence:
        kinds |= {problems.CASE_TOO_LARGE, problems.PACK_TOO_SLOW, problems.NO_ROOM_FOR_A_PACK}
        kinds |= {problems.TREE_BEHIND, problems.TREE_DAMAGED, problems.CHECKPOINT_ALTERED}
        refusals = (MayNotOpen, ClearNeedsApprovers, vault.CannotOpen, vault.ApprovalUsed, AnotherMode)
        ledgers = (ledger.Conflict, ledger.KeyDestroyed, ledger.TooLarge)
        kinds |= {*map(_kind, (*refusals, *ledgers))}
    return frozenset(kinds)


def of_erasure_act(act: ErasureAct) -> frozenset[Kind]:
    """Everything that an act of erasing can be answered with."""
    kinds = {*WHO_ASKS, *BODY, *OURS, problems.VAULT_AWAY, _kind(vault.KeyGone)}
    if act.body is ErasePerson:
        kinds |= {problems.NO_COMMAND_ID, problems.LEDGER_AWAY, problems.NOT_KNOWN, problems.DOOR_SHUT}
        refusals = (NeedsApprovers, vault.ApprovalUsed, ledger.CommandReused, ledger.CommandBurned)
        kinds |= {*map(_kind, refusals)}
    return frozenset(kinds)


def of_subscriber_act(act: SubscriberAct) -> frozenset[Kind]:
    """Everything that an act on a subscriber can be answered with."""
    kinds = {*WHO_ASKS, *BODY, *OURS, problems.LEDGER_AWAY}
    if issubclass(act.body, Wanted):
        kinds |= {problems.NOT_READY, _kind(NoSuchUnit), _kind(SubscribedAlready)}
    if act.body is Rotate:
        kinds |= {_kind(TooManySecrets)}
    if act.makes:
        kinds |= {_kind(TooManySubscribers), _kind(OwnerErased)}
    else:
        kinds |= {problems.BAD_PARAMETER, problems.NO_SUCH_PAGE, _kind(NoSuchSubscriber)}
    return frozenset(kinds)


def _kind(refusal: type[Exception]) -> Kind:
    """The entry of the catalogue for a class of errors."""
    return kind_of(refusal.__new__(refusal))


def decided(command: type[Command]) -> frozenset[type[Refusal]]:
    """What the decision on a command raises, itself or in what it calls."""
    found: set[type[Refusal]] = set()
    seen: set[Callable[..., Any]] = set()
    waiting = [*_decisions(command), *([INFORMED[command]] if command in INFORMED else [])]
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        for called in _called(function, command):
            if inspect.isclass(called) and issubclass(called, Refusal):
                found.add(called)
            elif inspect.isfunction(called) and called.__module__.startswith("events."):
                waiting.append(called)
    return frozenset(found - {BadInput})


def _decisions(command: type[Command]) -> list[Callable[..., Any]]:
    """Functions beside a command that take it, or bear its name."""
    module = vars(sys.modules[command.__module__])
    functions = [one for one in module.values() if inspect.isfunction(one) and one.__module__ == command.__module__]
    name = command.__name__
    return [one for one in functions if one.__annotations__.get("command") == name or one.__name__ == name.lower()]


def _called(function: Callable[..., Any], command: type[Command]) -> Iterator[object]:
    """Everything that a function's code calls or raises by a name; a method of the command too."""
    names = {**vars(sys.modules[function.__module__]), "command": command}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in names:
                yield names[name]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if name in names:
                yield getattr(names[name], attribute, None)
