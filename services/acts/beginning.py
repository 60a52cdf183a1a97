"""How a network begins: the gazetteer, the first rule set and the engines that speak; a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from events.command import Command, read_command
from events.places.gazetteer import Gazetteer
from events.reference import AdoptEngine, AdoptGazetteer, AdoptRules
from events.vocabulary import Role
from projections.rule_set import hash_of, read_rule_set
from services.acts.adopting import KNOWN_ENGINES
from services.acts.reference import act_at
from services.desk.desk import Desk
from services.desk.order import Order
from services.ledger.ledger import Accepted


async def begin(desk: Desk, person_id: UUID, gazetteer: Gazetteer, rules: str) -> Sequence[Accepted]:
    """Adopt all three in the name of an admin; raises RuleSetFaulty, or what the desk says."""
    adopted: list[tuple[type[Command], dict[str, object]]] = [
        (
            AdoptRules,
            {
                "rule_set": read_rule_set(rules).name,
                "content": rules,
                "content_hash": hash_of(rules),
            },
        ),
        (
            AdoptGazetteer,
            {
                "gazetteer": gazetteer.facts.gazetteer_id,
                "content": gazetteer.content(),
                "content_hash": gazetteer.content_hash,
            },
        ),
        *((AdoptEngine, {"projection": name, "number": max(known)}) for name, known in sorted(KNOWN_ENGINES.items())),
    ]
    accepted = []
    for command, fields in adopted:
        about = fields.get("projection", "")
        order = Order(
            person_id, Role.ADMIN, f"begin {command.__name__} {about}", read_command(command, fields), "reference"
        )
        accepted.append(await act_at(desk, order))
    return accepted
