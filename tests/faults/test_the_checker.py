"""The checker is itself checked: a run in which nothing went wrong is clean, and each tampering with it is named."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.checker import hearing, history, judging, readable, webhooks
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.left import LIVE, Left, read
from tests.faults.checker.records import Record

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from tests.faults.receiver import Receiver
    from tests.faults.world import World

COMMANDS = 150


@dataclass
class Run(Left):
    """What it left behind, and how the program ended on it: once for each of `ENDINGS`."""

    exits: tuple[int, ...] = ()

    def found(self) -> dict[str, int]:
        """The codes of what is wrong with it, and how often."""
        return self.judged().counts

    def judged(self) -> Findings:
        found = Findings()
        judging.judge(self, found, faults=0, acknowledged=COMMANDS, least_webhooks=1)
        return found

    def index(self, wanted: Callable[[Row], bool]) -> int:
        """Where the last row of which this holds stands."""
        return max(at for at, row in enumerate(self.rows) if wanted(row))

    def told(self) -> list[history.Sent]:
        """Commands that were told of events: a check-in that was accepted is held, and has none yet."""
        return [one for one in self.past.acknowledged if one.accepted[0]]

    def partition(self, topic: str = "events.v1") -> list[Record]:
        """The fullest partition of a topic, up to where the ledger was read: behind that nothing is judged."""
        records = max(self.topics[topic].values(), key=len)
        records[:] = [one for one in records if int(_position(one)) <= self.rows[-1].position]
        return records

    def only_there(self) -> list[Record]:
        """Those records of the fullest partition whose events are in no other, as a tick is in each."""
        partitions = Counter(_position(one) for records in self.topics["events.v1"].values() for one in records)
        return [one for one in self.partition() if partitions[_position(one)] == 1]


def _position(record: Record) -> bytes:
    return dict(record.headers)["position"]


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network at work for a while on a stack that nobody strikes."""
    from tests.faults.checker import consuming
    from tests.faults.generator import Generator
    from tests.faults.history import History
    from tests.faults.nemesis import at_its_end, more
    from tests.faults.world import a_world

    file = Path(tmp_path_factory.mktemp("run")) / "history.jsonl"
    async with a_world() as world:
        written = History(file)
        load = Generator(world, written, random.Random(3))
        await load.prepare()
        written.begins(3, await world.head(), phones=world.phones, log_keys=await world.log_keys())
        await world.subscribe(written)
        async with load.running():
            await more(load, written, COMMANDS, "before the end")
            # how the tasks take turns decides how grave it becomes
            while not await enough_came(world.receiver) and written.acknowledged < 8 * COMMANDS:
                await more(load, written, COMMANDS // 10, "before two alerts, and one that is grave")
        through = await at_its_end(world, load)
        written.ends(through, through, world.now())
        written.close()
        left = await read(file, world.dsn())
        left.topics = consuming.read_all_of([row.position for row in left.rows], world.bootstrap)
        for name, text in NO_HISTORIES.items():
            file.with_name(name).write_text(text)
        exits = tuple([await program(world, file.with_name(name), *more) for name, more, _ in ENDINGS])
    return Run(**{one.name: getattr(left, one.name) for one in fields(left)}, exits=exits)


async def enough_came(receiver: Receiver) -> bool:
    """A webhook to who asked for some, and two to who is told of all, so that there is an order among them."""
    from tests.faults.receiver import ALL, SOME

    return bool(await receiver.came(SOME)) and await receiver.came(ALL) > 1


NO_HISTORIES = {"no-kind.jsonl": "{}\n", "a-list.jsonl": "[]\n", "no-json.jsonl": "{"}
ENDINGS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("history.jsonl", (), 0),
    ("history.jsonl", ("--faults", "1", "--replay"), 1),
    *((name, ("--replay",), 2) for name in NO_HISTORIES),
    ("history.jsonl", ("--replay", "alert_level", "--replay-seconds", "0.01"), 2),
    ("history.jsonl", ("--replay", "no_projection"), 2),
    ("history.jsonl", ("--replay", "no_projection", "--faults", "1"), 1),
    ("history.jsonl", ("--replay", "--kafka", "127.0.0.1:1"), 2),
    ("history.jsonl", ("--replay", "--ledger", "postgres://127.0.0.1:1/none"), 2),
)
"""The history, what else is asked, and how the checker has to end."""


async def program(world: World, file: Path, *more: str) -> int:
    """How it ends as a process of its own; all that it says is shown where a test fails."""
    from services.settings import child_environment

    command = [sys.executable, "-m", "tests.faults.checker", "--history", str(file), "--ledger", world.dsn()]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--kafka",
        world.bootstrap,
        *more,
        cwd=Path(__file__).parents[2],
        env=child_environment(world.stack.settings) | dict(world.stack.extra),
    )
    return await process.wait()


@pytest.fixture
def left(whole: Run) -> Run:
    """A copy to tamper with."""
    held = {name: list(rows) for name, rows in whole.held.items()}
    past, topics = copy.deepcopy(whole.past), copy.deepcopy(whole.topics)
    return replace(whole, past=past, rows=list(whole.rows), topics=topics, levels=list(whole.levels), held=held)


def test_a_run_in_which_nothing_went_wrong_is_clean(whole: Run) -> None:
    types = {row.type for row in whole.rows}
    assert {
        "level.level_changed",
        "alert.issued",
        "custody.log_checkpointed",
        "report.received",
        "case.assessed",
    } <= types
    assert len(whole.past.webhooks) >= sum(row.type == "alert.issued" for row in whole.rows) > 1
    assert {one.to for one in whole.past.webhooks} == {"all", "some", "grouped", "inhibiting"}
    found = whole.judged()
    assert (found.lines(), found.not_judged) == ([], [])


def test_a_run_that_did_too_little_proves_nothing(whole: Run) -> None:
    found = Findings()
    history.judge(whole.past, found, faults=1, acknowledged=len(whole.past.acknowledged) + 1)
    webhooks.judge(whole.rows, whole.past, found, least=len(whole.past.webhooks) + 1)
    assert found.counts == {"too_few_faults": 1, "too_few_acknowledged": 1, "too_few_webhooks": 1}
    webhooks.judge(whole.rows, replace(whole.past, subscribers={}, webhooks=[]), found, least=1)
    assert found.counts["too_few_webhooks"] == 2


def test_the_program_ends_by_what_it_found(whole: Run) -> None:
    assert whole.exits == tuple(status for _, _, status in ENDINGS)


def lose_an_event(left: Run) -> None:
    half = len(left.rows) // 2
    del left.rows[left.index(lambda row: row.type == "report.received" and row.position < half)]


def lose_the_last_command(left: Run) -> None:
    del left.rows[left.index(lambda row: row.type.startswith("case.")) :]


def make_an_event_up(left: Run) -> None:
    one = left.told()[0]
    del left.past.commands[one.n]


def write_a_command_twice(left: Run) -> None:
    one = left.told()[0]
    at = one.accepted[0][0]["position"]
    other = left.index(lambda row: row.type == "report.received" and row.position != at)
    left.rows[other] = replace(left.rows[other], command_id=left.rows[at - 1].command_id)


def answer_a_repeat_otherwise(left: Run) -> None:
    one = left.told()[0]
    one.accepted.append([{**event, "position": event["position"] + 1} for event in one.accepted[0]])


def leave_an_answer_unknown(left: Run) -> None:
    next(iter(left.past.commands.values())).answered_last = "unknown"


def refuse_what_was_accepted(left: Run) -> None:
    left.told()[0].refused.append("x")


def answer_two_commands_with_one_event(left: Run) -> None:
    first, second = left.told()[:2]
    second.accepted = first.accepted


def turn_time_back(left: Run) -> None:
    at = left.index(lambda row: row.type == "report.received")
    left.rows[at] = replace(left.rows[at], recorded_at=left.rows[0].recorded_at.replace(year=2000))


def skip_a_version(left: Run) -> None:
    at = left.index(lambda row: row.version > 1)
    left.rows[at] = replace(left.rows[at], version=left.rows[at].version + 1)


def move_a_stream(left: Run) -> None:
    at = left.index(lambda row: row.version > 1 and row.home != "*")
    left.rows[at] = replace(left.rows[at], home="bi:home:elsewhere")


def give_an_event_twice(left: Run) -> None:
    left.rows[-1] = replace(left.rows[-1], event_id=left.rows[-2].event_id)


def drop_a_record(left: Run) -> None:
    del left.partition()[-1]


def drop_a_record_in_the_middle(left: Run) -> None:
    records = left.partition()
    del records[len(records) // 2]


def skip_the_lowest_position(left: Run) -> None:
    del left.partition()[0]


def turn_two_records_round(left: Run) -> None:
    records = left.partition()
    records[3], records[4] = records[4], records[3]


def change_a_records_bytes(left: Run) -> None:
    left.only_there()[2].value += b" "


def repeat_a_record(left: Run) -> None:
    left.partition().append(left.partition()[1])


def repeat_a_record_with_other_bytes(left: Run) -> None:
    one = left.partition()[1]
    left.partition().append(replace(one, value=one.value + b" "))


def put_a_foreign_record_there(left: Run) -> None:
    left.partition().append(Record([], b"x", 0, -1, 0))


def put_a_record_into_another_partition(left: Run) -> None:
    its = left.partition()
    other = next(records for records in left.topics["events.v1"].values() if records is not its)
    last = left.only_there()[-1]
    headers = [(name, b"0" if name == "previous" else value) for name, value in last.headers]
    other.insert(0, replace(last, headers=headers))


def lose_what_goes_to_everybody_in_one_partition(left: Run) -> None:
    adopted = left.rows[left.index(lambda row: row.home == "*")].position
    its = left.partition()
    its[:] = [one for one in its if dict(one.headers)["position"] != b"%d" % adopted]


def say_a_tick_to_one_home(left: Run) -> None:
    at = left.index(lambda row: row.type == "report.received")
    left.rows[at] = replace(left.rows[at], type="clock.ticked")


def lose_an_alert_for_strangers(left: Run) -> None:
    del left.partition("alerts.v1")[-1]


def say_no_change_of_a_level(left: Run) -> None:
    del left.rows[left.index(lambda row: row.type == "level.level_changed")]


def say_another_level(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    wire = copy.deepcopy(left.rows[at].wire)
    wire["data"]["to"] += 1
    left.rows[at] = replace(left.rows[at], wire=wire)


def say_a_level_from_nowhere(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    wire = copy.deepcopy(left.rows[at].wire)
    wire["data"]["from"] = 9
    left.rows[at] = replace(left.rows[at], wire=wire)


def issue_no_alert(left: Run) -> None:
    del left.rows[left.index(lambda row: row.type == "alert.issued")]


def issue_an_alert_twice(left: Run) -> None:
    left.rows.append(left.rows[left.index(lambda row: row.type == "alert.issued")])


def issue_another_alert(left: Run) -> None:
    at = left.index(lambda row: row.type == "alert.issued")
    wire = copy.deepcopy(left.rows[at].wire)
    wire["data"]["change"] = "cancelled" if wire["data"]["change"] != "cancelled" else "raised"
    left.rows[at] = replace(left.rows[at], wire=wire)


def tell_a_gap_twice(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    data = {"case_id": "a", "referral_id": "b", "awaited": "action", "due": "2026-01-01T00:00:00.000000Z", "step": 1}
    one = replace(left.rows[at], type="level.response_overdue", wire={**left.rows[at].wire, "data": data})
    left.rows += [one, one]


def give_a_command_two_bodies(left: Run) -> None:
    received = left.index(lambda row: row.type == "report.received")
    opened = left.rows[left.index(lambda row: row.type == "case.opened")]
    left.rows[received] = replace(left.rows[received], command_id=opened.command_id)


def tear_a_command_apart(left: Run) -> None:
    one = next(sent for sent in left.told() if len(sent.accepted[0]) > 1)
    at = one.accepted[0][0]["position"] - 1
    left.rows[at] = replace(left.rows[at], command_id="another")


def let_an_envelope_differ(left: Run) -> None:
    left.rows[3] = replace(left.rows[3], wire={**left.rows[3].wire, "subject": "case/another"})


def weigh_a_case_otherwise(left: Run) -> None:
    """The steps are whole and the alerts follow from them: only who computes the level anew can know."""
    at = left.index(lambda row: row.type == "level.level_changed")
    wire = copy.deepcopy(left.rows[at].wire)
    wire["data"]["points"] += 1
    left.rows[at] = replace(left.rows[at], wire=wire)


def tell_strangers_of_other_kinds(left: Run) -> None:
    at = left.index(lambda row: row.type == "alert.issued")
    wire = copy.deepcopy(left.rows[at].wire)
    wire["data"]["kinds"] = ["displacement"] if wire["data"]["kinds"] != ["displacement"] else []
    left.rows[at] = replace(left.rows[at], wire=wire)


def derive_an_id_otherwise(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    left.rows[at] = replace(left.rows[at], event_id="00000000-0000-8000-8000-000000000000")


def forget_a_line_of_the_timeline(left: Run) -> None:
    del left.held["timeline"][-1]


def change_what_a_timeline_tells(left: Run) -> None:
    *row, data = left.held["timeline"][1]
    left.held["timeline"][1] = (*row, {**data, "told": "by nobody"})


def untie_a_report(left: Run) -> None:
    *row, holds = left.held["ties"][0]
    left.held["ties"][0] = (*row, not holds)


def take_a_case_off_the_board(left: Run) -> None:
    del left.held["board"][0]


def let_a_case_stand_elsewhere_on_the_board(left: Run) -> None:
    stream, home, _, *rest = left.held["board"][-1]
    left.held["board"][-1] = (stream, home, "bi:c2015:elsewhere", *rest)


def let_nobody_wait_any_more(left: Run) -> None:
    del left.held["queue"][0]


def let_somebody_wait_longer(left: Run) -> None:
    *key, since, due, home, unit, kind, urgent, number, grades, agreeing, by, recused = left.held["queue"][-1]
    since = since.replace(year=2000)
    left.held["queue"][-1] = (*key, since, due, home, unit, kind, urgent, number, grades, agreeing, by, recused)


def show_a_referral_that_is_none(left: Run) -> None:
    left.held["referrals"].append(("case/a", "b", "police", "protection", "referred", True))


def show_a_gap_that_is_none(left: Run) -> None:
    left.held["gaps"].append(("case/a", "action", "b", 1, "u", "h", left.rows[0].recorded_at, None, None))


def tell_a_gap_that_is_none(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    left.rows[at] = replace(left.rows[at], type="level.response_overdue")


def tell_a_rung_that_is_none(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    left.rows[at] = replace(left.rows[at], type="level.response_escalated")


def tell_a_loss_that_is_none(left: Run) -> None:
    at = left.index(lambda row: row.type == "level.level_changed")
    left.rows[at] = replace(left.rows[at], type="level.coverage_lost")


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


def sign_nothing_of_the_end(left: Run) -> None:
    signed = [at for at, row in enumerate(left.rows) if row.type == "custody.log_checkpointed"]
    left.rows = [row for at, row in enumerate(left.rows) if at not in signed[len(signed) // 2 :]]


def alter_what_was_signed(left: Run) -> None:
    left.rows[0] = replace(left.rows[0], body=left.rows[0].body + b" ")


def sign_an_older_size_again(left: Run) -> None:
    left.rows.append(left.rows[left.index(lambda row: row.type == "custody.log_checkpointed")])


def lose_the_end_of_the_ledger(left: Run) -> None:
    del left.rows[left.past.head_at_the_end - 1 :]


def stop_before_the_end(left: Run) -> None:
    left.past.ended = False


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (lose_an_event, "acknowledged_but_lost"),
        (lose_an_event, "position_gap"),
        (lose_the_last_command, "acknowledged_but_lost"),
        (make_an_event_up, "sent_by_nobody"),
        (write_a_command_twice, "command_more_than_once"),
        (answer_a_repeat_otherwise, "answered_twice_differently"),
        (leave_an_answer_unknown, "still_unknown"),
        (refuse_what_was_accepted, "accepted_and_refused"),
        (answer_two_commands_with_one_event, "one_event_for_two_commands"),
        (turn_time_back, "time_goes_back"),
        (skip_a_version, "stream_versions"),
        (move_a_stream, "stream_left_its_home"),
        (give_an_event_twice, "event_twice"),
        (drop_a_record, "partition_misses"),
        (drop_a_record_in_the_middle, "chain_broken"),
        (skip_the_lowest_position, "partition_misses"),
        (turn_two_records_round, "chain_broken"),
        (change_a_records_bytes, "bytes_differ"),
        (repeat_a_record, "repeated_without_cause"),
        (repeat_a_record_with_other_bytes, "repeat_differs"),
        (put_a_foreign_record_there, "foreign_without_cause"),
        (put_a_record_into_another_partition, "not_of_this_partition"),
        (lose_what_goes_to_everybody_in_one_partition, "partition_misses"),
        (say_a_tick_to_one_home, "tick_not_for_everybody"),
        (lose_an_alert_for_strangers, "partition_misses"),
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
        (say_no_change_of_a_level, "level_differs"),
        (say_another_level, "level_differs"),
        (say_a_level_from_nowhere, "level_steps_broken"),
        (issue_no_alert, "alert_missing"),
        (issue_an_alert_twice, "alert_of_nothing"),
        (issue_another_alert, "alert_differs"),
        (tell_a_gap_twice, "overdue_told_twice"),
        (give_a_command_two_bodies, "command_with_two_bodies"),
        (tear_a_command_apart, "command_torn_apart"),
        (let_an_envelope_differ, "envelope_differs"),
        (weigh_a_case_otherwise, "level_differs"),
        (tell_strangers_of_other_kinds, "alert_differs"),
        (derive_an_id_otherwise, "level_differs"),
        (say_no_change_of_a_level, "level_missing"),
        (forget_a_line_of_the_timeline, "projection_differs"),
        (change_what_a_timeline_tells, "projection_differs"),
        (untie_a_report, "projection_differs"),
        (take_a_case_off_the_board, "projection_differs"),
        (let_a_case_stand_elsewhere_on_the_board, "projection_differs"),
        (let_nobody_wait_any_more, "projection_differs"),
        (let_somebody_wait_longer, "projection_differs"),
        (show_a_referral_that_is_none, "projection_differs"),
        (show_a_gap_that_is_none, "projection_differs"),
        (tell_a_gap_that_is_none, "overdue_of_nothing"),
        (tell_a_rung_that_is_none, "overdue_of_nothing"),
        (tell_a_loss_that_is_none, "coverage_of_nothing"),
        (sign_nothing_of_the_end, "checkpoint_missing"),
        (alter_what_was_signed, "checkpoint_differs_from_ledger"),
        (change_a_records_bytes, "checkpoint_differs_from_kafka"),
        (sign_an_older_size_again, "checkpoint_size_falls"),
        (lose_the_end_of_the_ledger, "ledger_shorter"),
        (stop_before_the_end, "history_not_ended"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_tampering_is_named(left: Run, tamper: Callable[[Run], None], code: str) -> None:
    tamper(left)
    assert code in left.found()


def adopt(left: Run, projection: str, number: int) -> None:
    data = {"projection": projection, "number": number}
    at = left.index(lambda row: row.type.startswith("reference."))
    last = left.rows[at]
    row = replace(last, position=len(left.rows) + 1, type="reference.engine_adopted", wire={**last.wire, "data": data})
    left.rows.append(row)


@pytest.mark.parametrize(("projection", "part"), [("alert_level", "the levels"), ("referral_board", "overdue answers")])
def test_an_engine_that_the_checker_does_not_know_is_not_judged(left: Run, projection: str, part: str) -> None:
    adopt(left, projection, 2)
    (sentence,) = left.judged().not_judged
    assert sentence.startswith(f"{part}: engine 2 of {projection} speaks from ")


def test_a_word_to_everybody_that_the_checker_does_not_know_is_not_judged(left: Run) -> None:
    adopt(left, "alert_level", 1)
    left.rows[-1] = replace(left.rows[-1], stream="reference/coverage", type="reference.coverage_lost")
    (sentence,) = left.judged().not_judged
    assert sentence.startswith("the levels: reference.coverage_lost goes to everybody at ")


def test_what_waits_for_a_person_is_not_judged(left: Run) -> None:
    left.parked = [("review_queue", "case/a", 7)]
    (sentence,) = left.judged().not_judged
    assert sentence.startswith("the table queue: review_queue waits with case/a at position 7, and what follows")


def waive(left: Run, wanted: Callable[[Row], bool], *projections: str) -> Row:
    """The last event of which this holds is waived at the end of the ledger."""
    event = left.rows[left.index(wanted)]
    last = left.rows[left.index(lambda row: row.home == "*")]
    for projection in projections:
        data = {"projection": projection, "key": event.stream, "position": event.position}
        wire = {**last.wire, "data": data}
        left.rows.append(replace(last, position=len(left.rows) + 1, type="reference.event_waived", wire=wire))
    return event


def test_what_was_waived_has_no_part_in_what_is_folded(left: Run) -> None:
    event = waive(left, lambda row: row.type == "report.graded", "case_timeline")
    assert event.position in [row.position for row in left.counted_by("review_queue")]
    assert event.position not in [row.position for row in left.counted_by("case_timeline")]


def test_a_waiver_that_came_too_late_counts_for_nothing(left: Run) -> None:
    event = waive(left, lambda row: row.type == "report.graded", "case_timeline")
    left.void = {("case_timeline", event.stream, event.position)}
    assert left.counted_by("case_timeline") == left.rows


def test_what_goes_to_everybody_and_was_waived_is_not_judged(left: Run) -> None:
    waive(left, lambda row: row.home == "*", "case_timeline")
    assert [one.split(":")[0] for one in left.judged().not_judged] == ["the table timeline", "the table ties"]


UNREADABLE = {
    "a type to come": ({"dataschema": "urn:intabaza:schema:case.mediated:1", "data": {"by": "a"}}, "case.mediated", 4),
    "a version to come": ({"dataschema": "urn:intabaza:schema:case.opened:9", "data": {}}, "case.opened", 5),
    "a content that is none": ({"dataschema": "urn:intabaza:schema:case.opened:1", "data": {}}, "case.opened", 4),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_taken_waits_or_was_waived_and_is_not_passed_over(left: Run, what: str) -> None:
    change, kind, projections = UNREADABLE[what]
    last = left.rows[left.index(lambda row: row.type == "case.opened")]
    wire = {**last.wire, **change}
    poison = replace(last, position=len(left.rows) + 1, stream="case/poison", version=1, type=kind, wire=wire)
    left.rows.append(poison)
    found = Findings()
    readable.judge(left, found)
    assert found.counts == {"projection_differs": projections}

    waive(left, lambda row: row is poison, *LIVE)
    again = Findings()
    readable.judge(left, again)
    assert again.counts == {}
