"""A personal text goes from a command into a sealable field, under the right key, and shows nowhere on its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from events.command import read_command
from events.refusals import BadInput, Refusal
from events.report.events import ReportReceived
from events.sealed import Clear, KeyKind, Sealed
from events.vocabulary import ActorClass
from tests.support.domain import CASE, OTHER_CASE, REPORT, fold, one
from tests.unit.events.every_act import ACTOR, CANARY, DEEDS, PERSON, Deed, text_fields

KEYS = {
    REPORT: {(KeyKind.REPORT, REPORT)},
    one("again"): {(KeyKind.REPORT, one("again"))},
    CASE: {(KeyKind.CASE, CASE)},
    OTHER_CASE: {(KeyKind.CASE, OTHER_CASE)},
    one("reporter"): set[tuple[KeyKind, Any]](),
}
"""Whose key a stream's texts are under, where they are not a person's."""

OF_A_PERSON = {
    "report.received": {"contact", "source"},
    "case.consent_recorded": {"person"},
    "reporter.enrolled": {"name_sealed", "contact"},
    "reporter.checked_in": {"said"},
    "reporter.stood_down": {"note"},
    "alert.overridden": {"note"},
    "alert.override_ended": {"note"},
    "alert.acknowledged": {"note"},
    "alert.silenced": {"note"},
    "alert.silence_ended": {"note"},
}
"""Fields under a person's own key, so that erasing the person erases them."""


def parts(value: Any, name: str = "", sealable: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Every leaf of an event: its field, its value and whether the field is declared sealable."""
    if isinstance(value, Clear | Sealed) or not isinstance(value, BaseModel | Mapping | list | tuple | frozenset):
        yield name, value, sealable
    elif isinstance(value, BaseModel):
        for field, info in type(value).model_fields.items():
            yield from parts(getattr(value, field), field, _mentions(info.annotation, Clear))
        yield from parts(value.model_extra or {}, name)
    else:
        inner = value.values() if isinstance(value, Mapping) else value
        for part in inner:
            yield from parts(part, name, sealable and not isinstance(value, Mapping))


def _mentions(annotation: Any, model: type) -> bool:
    return annotation is model or any(_mentions(part, model) for part in get_args(annotation))


def clears(deed: Deed) -> list[tuple[Any, str, str, Clear]]:
    return [
        (told.owner, event.name, name, value)
        for told in deed.done()
        for event in told.events
        for name, value, _ in parts(event)
        if isinstance(value, Clear)
    ]


def canaries(value: Any) -> set[str]:
    """The secret texts of a command and of the commands in it."""
    match value:
        case SecretStr():
            return {value.get_secret_value()}
        case BaseModel():
            return set().union(*(canaries(getattr(value, name)) for name in type(value).model_fields))
        case list() | tuple() | frozenset():
            return set().union(*(canaries(part) for part in value))
        case _:
            return set()


WITH_TEXT = [deed for deed in DEEDS if text_fields(type(deed.command))]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_a_clear_text_stands_in_sealable_fields_only_and_no_text_stands_elsewhere(deed: Deed) -> None:
    for told in deed.done():
        for event in told.events:
            for name, value, sealable in parts(event):
                assert not isinstance(value, Clear) or sealable, f"{event.name}.{name}"
                assert isinstance(value, Clear) or CANARY not in f"{value}{value!r}", f"{event.name}.{name}"


@pytest.mark.parametrize("deed", WITH_TEXT, ids=lambda deed: deed.id)
def test_no_text_of_a_command_is_lost(deed: Deed) -> None:
    assert canaries(deed.command)
    assert canaries(deed.command) <= {value.text.get_secret_value() for *_, value in clears(deed)}


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_every_text_is_under_the_key_of_its_owner(deed: Deed) -> None:
    for owner, event, name, value in clears(deed):
        expected = {(KeyKind.PERSON, PERSON)} if name in OF_A_PERSON.get(event, set()) else KEYS[owner]
        assert (value.under.kind, value.under.owner) in expected, f"{event}.{name}"


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_the_actor_class_is_sealed_wherever_it_is_written_and_shows_in_no_command(deed: Deed) -> None:
    if getattr(deed.command, "actor_class", None) is not None:
        assert ACTOR.value in {value.text.get_secret_value() for *_, value in clears(deed)}
    assert ACTOR.value not in f"{deed.command}{deed.command!r}"
    for told in deed.done():
        assert not any(isinstance(value, ActorClass) for event in told.events for _, value, _ in _of_cases(event))


def _of_cases(event: Any) -> Iterator[tuple[str, Any, bool]]:
    return parts(event) if not event.broadcast else iter(())


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_no_text_shows_in_a_command_an_event_or_a_state(deed: Deed) -> None:
    shown: list[Any] = [deed.command]
    for state, told in zip(deed.states, deed.done(), strict=True):
        shown += [*told.events, told.events, fold(state, deed.evolve, told.events)]
    for thing in shown:
        assert CANARY not in f"{thing}{thing!r}"


@pytest.mark.parametrize("deed", WITH_TEXT, ids=lambda deed: deed.id)
def test_no_text_shows_in_a_refusal(deed: Deed) -> None:
    try:
        deed.refusable()
    except Refusal as refusal:
        assert CANARY not in f"{refusal}{refusal!r}{vars(refusal)}"  # noqa: PT017


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.id)
def test_bad_input_quotes_nothing_that_was_typed(deed: Deed) -> None:
    command = type(deed.command)
    for name in [*command.model_fields, "unknown_field"]:
        fields = {**deed.command.revealed(), name: {"what": CANARY, "report_id": CANARY}}
        try:
            read_command(command, fields)
        except BadInput as refusal:
            assert CANARY not in f"{refusal}{refusal!r}{refusal.problems!r}"  # noqa: PT017
        else:
            assert command.model_fields[name].annotation is dict or name == "content", name


@pytest.mark.parametrize("deed", WITH_TEXT, ids=lambda deed: deed.id)
def test_an_event_with_a_clear_text_refuses_to_be_written(deed: Deed) -> None:
    written = 0
    for told in deed.done():
        for event in told.events:
            if any(isinstance(value, Clear) for _, value, _ in parts(event)):
                for write in (event.wire_data, event.model_dump_json, event.model_dump):
                    with pytest.raises(ValueError, match="in clear") as refused:
                        write()
                    assert CANARY not in str(refused.value)
                    written += 1
    assert written


def test_an_event_that_cannot_be_made_does_not_quote_its_fields() -> None:
    with pytest.raises(ValidationError) as refused:
        ReportReceived(text=CANARY, contact=CANARY, kind=CANARY)  # type: ignore[call-arg]
    assert CANARY not in str(refused.value)
