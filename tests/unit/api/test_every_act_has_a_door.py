"""One table to edit: a command, a refusal or a role that was forgotten fails here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from events.commands import COMMANDS
from events.refusals import BadInput, NotNow
from events.vocabulary import Role
from services.api.access import ACCESS, Reach
from services.api.commands import NOT_BY_HTTP, ROUTES
from services.api.problems import REFUSALS, catalogue
from services.api.reads.every import READS
from services.api.subscribing import ACTS
from services.ledger.ledger import LedgerError, NotAccepted
from services.vault.refused import VaultError


def below(parent: type[Exception]) -> Iterator[type[Exception]]:
    for child in parent.__subclasses__():
        yield child
        yield from below(child)


def test_every_command_has_exactly_one_route() -> None:
    routed = Counter(route.command for route in ROUTES)
    wanted = {command for commands in COMMANDS.values() for command in commands} - NOT_BY_HTTP
    assert routed == dict.fromkeys(wanted, 1)
    assert len({route.address for route in ROUTES}) == len(ROUTES)


def test_every_operation_is_granted_and_every_grant_is_an_operation() -> None:
    apart = {"read.position", "read.alerts", "custody.open", "read.places"}
    acted = {route.operation for route in ROUTES} | {act.operation for act in ACTS}
    served = acted | {read.operation for read in READS}
    assert served <= ACCESS.keys()
    assert {name for name in ACCESS if not name.startswith(("read.", "custody."))} == acted
    assert apart <= ACCESS.keys()


def test_the_system_and_an_admin_open_and_review_nothing() -> None:
    assert all(Role.SYSTEM not in grants for grants in ACCESS.values())
    for operation, grants in ACCESS.items():
        if operation.startswith(("report.", "case.", "custody.", "reporter.")):
            assert Role.ADMIN not in grants, operation


def test_nobody_but_a_recipient_or_a_reporter_has_something_of_their_own() -> None:
    beside = ("read.position", "read.subscribers", "subscriber.")  # what was sent, and what was registered
    told = {operation: grants for operation, grants in ACCESS.items() if not operation.startswith(beside)}
    own = {role for grants in told.values() for role, reach in grants.items() if reach is Reach.OWN}
    assert own == {Role.RECIPIENT, Role.REPORTER}


def test_every_refusal_of_ours_has_a_number_of_its_own() -> None:
    abstract = {NotAccepted, LedgerError, VaultError}
    known = {*below(NotNow), *below(BadInput), *below(NotAccepted)} - abstract
    ours = {one for one in known if one.__module__.split(".")[0] in ("events", "services", "projections")}
    assert ours <= REFUSALS.keys()
    numbers = [kind.number for kind in catalogue()]
    assert len(numbers) == len(set(numbers))
