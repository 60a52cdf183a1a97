"""Bad input, generated from the types of every field of every command: which field, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from events.case.judging import Assess
from events.command import TEXT_LIMIT_CHARACTERS, Command, read_command
from events.commands import COMMANDS
from events.refusals import BadInput
from events.report.decisions import Receive
from tests.unit.events.wrong_values import CANARY, Wrong, body_of, fields_of, wrong_of_field

EVERY_COMMAND = [command for commands in COMMANDS.values() for command in commands]


def cases() -> Iterator[Any]:
    for command in EVERY_COMMAND:
        for name, kind, info in fields_of(command):
            for one in wrong_of_field(kind, info):
                yield pytest.param(command, name, one, id=f"{command.__name__}.{name}: {one.label}")


def refused(command: type[Command], body: dict[str, Any]) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_command(command, body)
    error = caught.value
    for problem in error.problems:
        assert problem.field.strip()
        assert problem.expected.strip()
        assert problem.mend.strip()
    for said in (str(error), repr(error), repr(error.args), repr(error.__context__), repr(error.problems)):
        assert CANARY not in said
        assert "Nzeyimana" not in said
    return error


@pytest.mark.parametrize(("command", "name", "one"), list(cases()))
def test_a_wrong_value_is_refused_by_its_field_and_never_repeated(
    command: type[Command], name: str, one: Wrong
) -> None:
    error = refused(command, {**body_of(command), name: one.value})
    expected = f"{name}.{one.inside}".rstrip(".")
    assert {problem.field for problem in error.problems} == {expected}


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_required_field_that_is_missing_is_named(command: type[Command]) -> None:
    required = {name for name, _, info in fields_of(command) if info.is_required()}
    if not required:
        read_command(command, {})
        return
    error = refused(command, {})
    assert {problem.field for problem in error.problems} == required
    assert {problem.mend for problem in error.problems} == {"add this field"}


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_an_unknown_field_is_named_and_its_value_is_not_repeated(command: type[Command]) -> None:
    error = refused(command, {**body_of(command), "surname": CANARY})
    assert [problem.field for problem in error.problems] == ["surname"]
    assert error.problems[0].mend == "remove it or correct its name"


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_text_in_the_place_of_a_name_is_not_repeated(command: type[Command]) -> None:
    refused(command, {**body_of(command), f"I saw {CANARY} at the market with the others": "x"})


def test_several_faults_are_told_at_once() -> None:
    error = refused(Receive, {**body_of(Receive), "channel": CANARY, "text": "", "harm": [{"what": "hurt", "min": -1}]})
    assert {problem.field for problem in error.problems} == {"channel", "text", "harm.0.what", "harm.0.min"}


def test_an_unknown_word_is_answered_with_the_known_ones() -> None:
    [problem] = refused(Receive, {**body_of(Receive), "basis": "seen"}).problems
    for word in ("witnessed", "told_by_witness", "heard_in_public", "unknown"):
        assert word in problem.expected


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "😀🏳️‍🌈 nabonye",
        "رأيت ذلك في السوق",
        "\u202eright to left",
        "Ñanga ntíyagize",
        "line\nand\ttab",
        "x" * TEXT_LIMIT_CHARACTERS,
        "😀" * TEXT_LIMIT_CHARACTERS,
        # A text is sealed as bytes and never part of a name or a query, so NUL harms nothing and a message from a
        # broken phone is not lost for it.
        "cut\0off",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_any_text_a_person_can_send_is_kept_as_it_is(text: str) -> None:
    command = read_command(Receive, {**body_of(Receive), "text": text})
    assert command.text.get_secret_value() == text


WITH_TEXTS = [command for command in EVERY_COMMAND if any(kind.type is SecretStr for _, kind, _ in fields_of(command))]


@pytest.mark.parametrize("command", WITH_TEXTS)
def test_no_text_shows_in_the_repr_of_a_command(command: type[Command]) -> None:
    texts: dict[str, Any] = {name: SecretStr(CANARY) for name, kind, _ in fields_of(command) if kind.type is SecretStr}
    assert CANARY not in repr(command.model_construct(**texts))


@pytest.mark.parametrize("body", [None, [], "text", 5, CANARY])
def test_a_body_that_is_no_object_is_refused_and_not_repeated(body: Any) -> None:
    refused(Receive, body)


def test_a_set_of_things_is_revealed_in_one_order_whatever_order_it_came_in() -> None:
    ids = [str(UUID(int=number)) for number in range(50)]
    body = {**body_of(Assess), "recused": [], "dissent": []}
    one = read_command(Assess, {**body, "evidence": ids})
    other = read_command(Assess, {**body, "evidence": ids[::-1]})
    assert one.revealed()["evidence"] == other.revealed()["evidence"] == ids
