"""The checker is itself checked: a run in which nothing went wrong is clean, and each tampering with it is named."""

from __future__ import annotations

import asyncio
import copy
import random
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.checker import history, readable, webhooks
from tests.faults.checker.findings import Findings
from tests.faults.checker.ledger import Row
from tests.faults.checker.left import LIVE, read
from tests.faults.tampering import checkpoints, commands, ledger, levels, tables, topics
from tests.faults.tampering import webhooks as receivers
from tests.faults.tampering.run import COMMANDS, Run

if TYPE_CHECKING:  # kafka-python warns at its import, which this file is too early to have filtered
    from tests.faults.receiver import Receiver
    from tests.faults.world import World

TAMPERINGS = (
    *commands.TAMPERINGS,
    *ledger.TAMPERINGS,
    *topics.TAMPERINGS,
    *levels.TAMPERINGS,
    *tables.TAMPERINGS,
    *receivers.TAMPERINGS,
    *checkpoints.TAMPERINGS,
)


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


@pytest.mark.parametrize(("tamper", "code"), TAMPERINGS, ids=lambda one: getattr(one, "__name__", one))
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
    last = left.rows[left.last("case.opened")]
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
