"""Limits: each person has a bucket of their own, which fills again."""

from __future__ import annotations

import pytest

from services.api import limits
from services.api.limits import Buckets, Places
from services.api.problems import TOO_MANY, Refused


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def taken(buckets: Buckets, whose: str, most: int = 1_000) -> int:
    for number in range(most):
        try:
            buckets.take(whose)
        except Refused as refused:
            told = (refused.kind, int(refused.headers["Retry-After"]) >= 1)
            return number if told == (TOO_MANY, True) else -1
    return most


def test_somebody_may_ask_what_their_bucket_holds_and_then_as_fast_as_it_fills() -> None:
    clock = Clock()
    buckets = Buckets(10, seconds=4, now=clock)
    assert taken(buckets, "aline") == 40
    clock.seconds += 0.5
    assert taken(buckets, "aline") == 5
    clock.seconds += 3_600
    assert taken(buckets, "aline") == 40


def test_one_persons_haste_is_no_others() -> None:
    buckets = Buckets(1, seconds=1, now=Clock())
    assert (taken(buckets, "aline"), taken(buckets, "bede")) == (1, 1)


def test_no_rate_is_no_limit() -> None:
    assert taken(Buckets(0, now=Clock()), "aline") == 1_000


def test_whoever_comes_under_ever_new_names_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BUCKETS", 10)
    buckets = Buckets(1, now=Clock())
    for number in range(100):
        buckets.take(number)
    assert len(buckets._buckets) == 10


def test_one_person_holds_some_places_and_leaves_the_others() -> None:
    places = Places(2, most=4)
    for whose in ("aline", "aline", "bede"):
        places.take(whose)
    with pytest.raises(Refused, match="Your 2 places") as refused:
        places.take("aline")
    assert (refused.value.kind, refused.value.headers) == (TOO_MANY, {"Retry-After": "60"})
    places.take("chantal")
    with pytest.raises(Refused, match="Too many listen"):
        places.take("deo")
    places.give_back("aline")
    places.take("aline")


def test_without_a_limit_one_person_may_hold_them_all() -> None:
    places = Places(0, most=3)
    for _ in range(3):
        places.take("aline")
    with pytest.raises(Refused, match="Too many listen"):
        places.take("aline")
