"""Acts on what concerns everybody; their events go to every partition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from events import reference as decisions
from events.command import Command
from events.event import Act, Event
from events.reference import Register
from events.vocabulary import EVERY_HOME
from services.acts.adopting import refuse_what_no_fold_could_read
from services.acts.network import Network
from services.desk.change import Change
from services.desk.desk import Desk
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Accepted

_REGISTERS = UUID("0b0e7d7c-5d2f-8c64-9e0b-5a1d7f3c2a10")
"""Names the space of ids under which people have their pseudonyms in the registers."""


REGISTERS: Mapping[type[Command], tuple[str, Callable[[Register, Any, Act], Sequence[Event]]]] = {
    decisions.AdoptRules: ("rules", decisions.adopt_rules),
    decisions.AdoptGazetteer: ("gazetteer", decisions.adopt_gazetteer),
    decisions.DateElection: ("elections", decisions.date_election),
    decisions.AdoptEngine: ("engines", decisions.adopt_engine),
    decisions.WaiveEvent: ("waivers", decisions.waive_event),
    decisions.Tick: ("clock", decisions.tick),
}
"""Which register a command writes to, and how it decides."""


async def act(network: Network, order: Order[Command]) -> Accepted:
    """Act on a register by whichever command the order holds."""
    return await act_at(network.desk, order)


async def act_at(desk: Desk, order: Order[Command]) -> Accepted:
    """The same for who has nothing but a desk."""
    if isinstance(order.command, decisions.RegisterRecipient):
        name = f"recipient-{order.command.recipient}"
    else:
        name, decide_on = REGISTERS[type(order.command)]

    async def decide(reading: Reading) -> Sequence[Change]:
        act = await desk.act(order, uuid5(_REGISTERS, name))
        if isinstance(order.command, decisions.RegisterRecipient):
            recipient = await reading.recipient(order.command.recipient)
            events: Sequence[Event] = decisions.register_recipient(recipient, order.command, act)
        else:
            register = await reading.register(name)
            refuse_what_no_fold_could_read(register, order.command)
            events = decide_on(register, order.command, act)
        return [Change(f"reference/{name}", EVERY_HOME, events, act.by)]

    return await desk.perform(order, decide)
