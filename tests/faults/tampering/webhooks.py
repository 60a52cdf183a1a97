"""A receiver got something else than what was issued to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import partial

from tests.faults.checker import hearing, history
from tests.faults.tampering.run import Run, Tamperings


def lose_a_webhook(left: Run) -> None:
    left.past.webhooks.pop(last_webhook(left))


def refuse_every_webhook_of_an_alert(left: Run) -> None:
    last = left.past.webhooks[last_webhook(left)]
    left.past.webhooks = [one._replace(answered=503) if one.id == last.id else one for one in left.past.webhooks]


def send_a_webhook_unsigned(left: Run) -> None:
    left.past.webhooks[0] = left.past.webhooks[0]._replace(signature="")


def sign_a_webhook_as_another(left: Run) -> None:
    first, second = [one for one in left.past.webhooks if one.to == "all"][:2]
    left.past.webhooks[left.past.webhooks.index(first)] = first._replace(signature=second.signature)


def send_what_is_no_alert(left: Run) -> None:
    left.past.webhooks.append(
        left.past.webhooks[last_webhook(left)]._replace(id="00000000-0000-4000-8000-000000000000")
    )


def send_other_bytes(left: Run) -> None:
    at = last_webhook(left)
    left.past.webhooks[at] = left.past.webhooks[at]._replace(body=left.past.webhooks[at].body + " ")


def send_the_last_first(left: Run) -> None:
    left.past.webhooks.insert(0, left.past.webhooks.pop(last_webhook(left)))


def send_one_again_while_all_is_well(left: Run) -> None:
    left.past.webhooks.append(left.past.webhooks[0])


def send_many_again_after_one_kill(left: Run) -> None:
    left.past.faults = [history.Fault("webhooks_kill_notifier", 0)]
    first = left.past.webhooks[0]
    left.past.webhooks += [first._replace(begun=1)] * 8


def send_what_was_left_out(left: Run) -> None:
    """What came to who asked for some, as if they had asked for graver ones than there are."""
    left.past.subscribers["some"] = left.past.subscribers["some"]._replace(minimum_level=6)


def lose_what_was_asked_for(left: Run) -> None:
    """The last that their filters take: what else may come to them is not missed."""
    filters = left.past.subscribers["some"]
    those = [
        at
        for at, one in enumerate(left.past.webhooks)
        if one.to == "some" and "change" in (data := json.loads(one.body)["data"]) and hearing.takes(filters, data)
    ]
    del left.past.webhooks[those[-1]]


def send_to_nobody(left: Run) -> None:
    left.past.webhooks.append(left.past.webhooks[0]._replace(to="nobody"))


def send_with_a_timestamp_of(received: float, left: Run) -> None:
    """Signed rightly, by whoever has the secret: only the moment is wrong."""
    at = last_webhook(left)
    one = left.past.webhooks[at]
    one = one._replace(timestamp=str(int(one.received_at + received)))
    key = base64.b64decode(left.past.subscribers["all"].secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{one.id}.{one.timestamp}.{one.body}".encode(), hashlib.sha256).digest()
    left.past.webhooks[at] = one._replace(signature=f"v1,{base64.b64encode(digest).decode()}")


def last_webhook(left: Run) -> int:
    """Where the last alert stands that came where all is told."""
    alerts = {row.event_id for row in left.rows if row.type == "alert.issued"}
    return max(at for at, one in enumerate(left.past.webhooks) if one.to == "all" and one.id in alerts)


TAMPERINGS: Tamperings = (
    (lose_a_webhook, "webhook_missing"),
    (lose_a_webhook, "webhook_state_differs"),
    (refuse_every_webhook_of_an_alert, "webhook_missing"),
    (send_a_webhook_unsigned, "webhook_not_signed"),
    (sign_a_webhook_as_another, "webhook_not_signed"),
    (send_what_is_no_alert, "webhook_of_nothing"),
    (send_other_bytes, "webhook_differs"),
    (send_the_last_first, "webhook_out_of_order"),
    (send_one_again_while_all_is_well, "webhook_repeated"),
    (send_many_again_after_one_kill, "webhook_repeated"),
    (send_what_was_left_out, "webhook_unwanted"),
    (lose_what_was_asked_for, "webhook_missing"),
    (send_to_nobody, "webhook_to_nobody"),
    (partial(send_with_a_timestamp_of, -301.0), "webhook_timestamp"),
    (partial(send_with_a_timestamp_of, 302.0), "webhook_timestamp"),
)
