"""Up to where links and levels speak of a home, and how a terminal says that something may be lacking."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from events.vocabulary import EVERY_HOME
from services.cli.trace import show
from services.log.partition import partition_of
from services.trace.shown import Shown
from services.trace.sources import LEVELS, LINKS, Marks, Parked, of_messages, of_projection
from services.trace.tree import tree
from tests.support.levels import Log
from tests.support.traced import traced

HERE = "here"
THERE = next(name for name in map(str, range(100)) if partition_of(name, 2) != partition_of(HERE, 2))
MINE, OTHER = partition_of(HERE, 2), partition_of(THERE, 2)


def marks(mine: int, other: int, *, sent: int = 50, acknowledged: int = 90, parked: tuple[Parked, ...] = ()) -> Marks:
    folded = {(LEVELS, MINE): mine, (LEVELS, OTHER): other}
    return Marks(2, 100, acknowledged, {MINE: sent, OTHER: 70}, folded, parked)


@pytest.mark.parametrize(
    ("mine", "other", "homes", "up_to"),
    [
        (50, 0, [HERE], 90),  # all that was sent: as far as the relay
        (49, 70, [HERE], 49),
        (95, 70, [HERE], 95),  # the relay has not yet said that it was acknowledged
        (50, 60, [HERE, THERE], 60),
        (50, 60, [EVERY_HOME], 60),
        (0, 0, [THERE], 0),
    ],
)
def test_a_projection_speaks_up_to_where_it_has_taken_in_all_of_a_home(
    mine: int, other: int, homes: list[str], up_to: int
) -> None:
    assert marks(mine, other).up_to(LEVELS, homes) == up_to


def test_a_projection_that_never_ran_speaks_of_nothing() -> None:
    assert marks(50, 70).up_to(LINKS, [HERE]) == 0


def test_what_is_parked_of_a_home_or_of_all_of_them_is_said_of_that_projection_alone() -> None:
    stuck = marks(50, 70, parked=(Parked(LEVELS, HERE, 40),))
    assert of_projection(stuck, LEVELS, [HERE], None).up_to == 39
    assert not of_projection(stuck, LEVELS, [HERE], None).complete
    assert of_projection(stuck, LEVELS, [THERE], None).complete
    assert not of_projection(stuck, LEVELS, [EVERY_HOME], None).complete
    assert of_projection(stuck, LINKS, [HERE], None).complete


def test_who_is_not_through_with_an_alert_is_counted() -> None:
    assert of_messages(marks(50, 70), 0, None).complete
    waiting = of_messages(marks(50, 70), 2, 33)
    assert (waiting.up_to, waiting.because[0].startswith("2 subscribers may still be told")) == (33, True)


async def test_a_terminal_says_it_in_words() -> None:
    log = Log().rules().engine().opened("a")
    document: dict[str, Any] = Shown(await traced(log, log.events[-1].position), lambda _: True).document()
    assert document["complete"]
    assert "More may have rested on it" not in drawn(document)
    lacking = of_projection(marks(49, 70), LEVELS, [HERE], 50)
    levels = {"up_to_position": lacking.up_to, "complete": False, "because": list(lacking.because)}
    document |= {"complete": False, "sources": document["sources"] | {"levels": levels}}
    assert "More may have rested on it than stands here" in drawn(document)
    assert "Levels and alerts speak up to position 49. Position 50 is not taken in yet" in drawn(document)


async def test_no_letter_of_a_long_line_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log().rules().engine().opened("a")
    document: dict[str, Any] = Shown(await traced(log, log.events[-1].position), lambda _: True).document()
    document["event"]["says"] = {"reason": "word " * 100 + "end"}
    said = " ".join(["reason", *["word"] * 100, "end"])
    assert said in " ".join(drawn(document, width=60).split()), "a terminal breaks it"
    show(document)
    assert said in capsys.readouterr().out.splitlines()[0], "a pipe does not"


def drawn(document: dict[str, Any], width: int = 200) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(tree(document))
    return capture.get()
