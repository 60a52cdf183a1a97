"""Rows that a release wrote are read by the next one, or refused by the number of their form: it goes up with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any

import orjson
import pytest

from projections.live import LIVE
from projections.part import Part
from projections.projection import Projection
from projections.taken import Taken
from tests.support.happenings import ACTS, history
from tests.support.level_histories import history as levels

FORMS = {
    ("alert_level", 3): "589bc26e2ab6",
    ("case_board", 1): "959e3c0e6f7a",
    ("case_timeline", 1): "76a2b099f7dc",
    ("coverage", 2): "b7a1d0ecc645",
    ("referral_board", 3): "3a3667a47d8d",
    ("review_queue", 1): "f1bd78b5a753",
    ("silences", 1): "4a2c3c34b2ca",
}
"""What the rows of each projection look like in its form."""


@pytest.mark.parametrize("projection", LIVE, ids=lambda one: one.name)
def test_rows_that_look_otherwise_are_of_another_form(projection: Projection[Any, Any]) -> None:
    known = FORMS.get((projection.name, projection.form))
    assert known == looks(projection), (
        f"the rows of {projection.name} look otherwise than in its form {projection.form}: those of an older release "
        f"would not be read. Make its `form` one more, and say here what the new one looks like"
    )


def looks(projection: Projection[Any, Any]) -> str:
    """A short digest of its tables without their comments, of how many values each row has and what bodies look like,
    and of what is kept of broadcasts."""
    part: Part[Any, Any] = Part(projection.fold)
    rows: dict[str, list[Any]] = {}
    for event in a_long_history(of_levels=projection.name == "alert_level"):
        part.hold(part.wants([event]), {})
        page, _ = part.take([event])
        for writing, written in page.rows.items():
            rows.setdefault(writing, []).extend(written)
    tables = re.sub(r"\s+", " ", re.sub(r"--.*", "", projection.table.definition))
    verbatim = projection.fold.stateless  # the bodies are those of events, which have forms of their own
    shapes = {
        writing: [[] if verbatim else _shape(values) for values in zip(*written, strict=True)]
        for writing, written in rows.items()
    }
    saved = _shape([orjson.dumps(projection.fold.save(part.shared)).decode()])
    return sha256(orjson.dumps([tables, shapes, saved], option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


@cache
def a_long_history(of_levels: bool) -> Sequence[Taken]:
    if of_levels:
        return levels(1, 400)
    random = Random(1)
    hours = (0, 0, 0.5, 1, 2, 7, 30)
    steps = [(random.choice(ACTS), random.randrange(5), random.randrange(8), random.choice(hours)) for _ in range(900)]
    return history(steps)


def _shape(column: Iterable[Any]) -> list[str]:
    """The bodies in a column: the lengths of plain lists that are a record, and the keys of objects."""
    found = set()
    for value in column:
        body = _read(value)
        if isinstance(body, list) and len({type(one) for one in body}) > 1:
            found.add(f"{len(body)} values")
        elif isinstance(body, dict):
            found |= body.keys()
    return sorted(found)


def _read(value: Any) -> Any:
    try:
        return orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        return None
