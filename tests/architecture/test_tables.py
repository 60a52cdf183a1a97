"""Whoever folds several projections finds each one's tables by their names alone."""

from __future__ import annotations

import re
from collections import Counter

from projections.live import LIVE


def test_no_two_projections_have_a_table_of_one_name() -> None:
    names = Counter(name for one in LIVE for name in re.findall(r"(?m)^create table (\w+)", one.table.definition))

    assert names.total() >= 20
    assert set(names.values()) == {1}
