"""A refusal is a sentence; an id at its beginning stays as it is written, so that it can be copied."""

from __future__ import annotations

from events.case.refusals import NoSuchCase, RecipientNotRegistered
from services.api.problems import Told
from services.desk.reading import MovedOn


def test_a_sentence_begins_with_a_capital() -> None:
    assert Told.of(NoSuchCase()).detail.startswith("There is no such case")


def test_an_id_that_a_sentence_begins_with_is_not_changed() -> None:
    assert Told.of(RecipientNotRegistered(recipient="clinic")).detail.startswith("clinic is not in the register")
    moved_on = MovedOn(stream="case/0e1f7a52-6c1d-8b1e-9d57-000000000000", at=7)
    assert Told.of(moved_on).detail.startswith("case/0e1f7a52")
