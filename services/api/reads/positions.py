"""How far what was written has come: recorded, on Kafka, and in each projection. What `Location` of a 202 leads to.

Who could ask about any position would know how much is written, and when: it is for who sent that command, by the
receipt in the address, and for an auditor and an admin, who see that everything arrives.
"""

from __future__ import annotations

from services.api.access import Reach
from services.api.problems import BAD_PARAMETER, NOT_THIS_ROLE, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.api.waiting import is_published, partitions_of


async def position(asked: Asked) -> Reply:
    """Whether an event of the ledger is recorded, published, and folded by each projection."""
    text = asked.request.path_params["position"]
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) > 0):
        raise Refused(BAD_PARAMETER, "position: expected a number from 1 on; copy it from a command's answer.")
    at, office = int(text), asked.office
    if asked.asking.reach is Reach.OWN:
        receipt = asked.one("receipt") or ""
        if not office.receipts.is_theirs(receipt, asked.asking.bearer.person_id, at):
            raise Refused(
                NOT_THIS_ROLE, "It is no position of a command of yours: ask at the address that its answer named."
            )
    rows = await office.ledger.read(at - 1, 1)
    if not rows:
        folded = dict.fromkeys(office.projections.names, False)
        return Reply({"position": at, "recorded": False, "published": False, "projected": folded})
    marks = await office.projections.marks()
    partitions = partitions_of(office, rows[0].home)
    folded = {name: min(marks[name].get(one, 0) for one in partitions) >= at for name in office.projections.names}
    return Reply({"position": at, "recorded": True, "published": await is_published(office, at), "projected": folded})


RECEIPT = Parameter("receipt", "What the `Location` of a command's answer has here; an auditor or admin needs none.")

READS = (Read("/v1/positions/{position}", "read.position", position, (RECEIPT,)),)
