"""What a person sees: levels by province, reasons, cases, lags; and that the people are invented."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import pytest
from rich.console import Console

from events.level import LevelCause
from services.api.tokens import TokenIssuer
from services.demo.cast import Cast
from services.demo.door import Door
from services.demo.play import Playing
from services.demo.screen import CAUSES, Screen
from services.demo.show import without_fonts
from services.demo.watch import STAGES, Change, Watch
from tests.unit.demo.scenarios import chronology, told


def watched() -> Watch:
    """A play that has come to the middle of May 2015."""
    door = Door(
        "http://one.example", cast(TokenIssuer, None), cast(aiohttp.ClientSession, None), seconds=[0.008, 0.012]
    )
    playing = Playing(told(), door, datetime(2015, 5, 14, 10, tzinfo=UTC), done=900)
    shown = ("cases", "assess", "record-action", "refer")
    playing.told.extend(act for act in told().acts if act.chain in ("0077", "0078") and act.operation in shown)
    watch = Watch(Cast(chronology()), playing)
    watch.levels = {"bi:c2015:mukaza": level(4, 12), "bi:city:bujumbura": level(3, 9), "bi:c2015:gitega": level(0, 0)}
    watch.changes.append(
        Change("bi:c2015:mukaza", 3, 3, 4, "evidence", datetime(2015, 5, 13, tzinfo=UTC), (("violence", 93_600),))
    )
    watch.lags[STAGES[1]].append(0.02)
    return watch


def level(level: int, cases: int) -> dict[str, Any]:
    return {"level": level, "open_cases": cases, "since": "2015-05-13T00:00:00Z"}


def drawn(width: int, height: int) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), record=True)
    console.print(Screen(chronology(), watched()).frame(width, height))
    return console.export_text()


def test_it_shows_the_country_by_province_what_changed_and_why_the_last_cases_and_the_lags() -> None:
    text = drawn(170, 45)
    (capital,) = [line for line in text.splitlines() if "Bujumbura Mairie" in line]
    assert "3 " in capital
    assert "4 " in capital
    assert " 21 " in capital, "open cases of a province are those of all that lies in it"
    assert "Mukaza" in text
    assert "alert → crisis  reported: violence 93.6" in text
    assert "assessed: " in text
    assert "something was done about it" in text
    assert "on Kafka" in text
    assert "20 ms, 99 % in 20 ms" in text
    assert "Thursday 14 May 2015, 12:00" in text


def test_silence_looks_otherwise_than_calm_and_what_is_invented_is_called_so() -> None:
    text = drawn(170, 45)
    (gitega,) = [line for line in text.splitlines() if line.startswith("│ Gitega")]
    assert gitega.count("·") == 11  # the province itself and ten of its communes
    assert gitega.count("0 ") == 1
    assert "nothing heard of it, which is not calm" in text
    assert "invented, drawn at random from a seed" in " ".join(text.split())
    referred = [line for line in drawn(240, 45).splitlines() if "referred to" in line]
    assert referred
    assert all("(invented)" in line for line in referred)


def test_a_smaller_screen_shows_less_and_a_pipe_gets_a_line() -> None:
    assert len(drawn(140, 30).splitlines()) < len(drawn(170, 45).splitlines())
    assert "What changed" not in drawn(90, 30)
    screen = Screen(chronology(), watched())
    assert screen.line().startswith(
        "2015-05-14: 900 commands, 0 refused; units at 1 crisis, 1 alert, 0 tension, 0 watch"
    )
    assert "Mukaza" in screen.change_line(watched().changes[0])


def test_a_recording_fetches_nothing_from_anywhere() -> None:
    console = Console(width=140, file=io.StringIO(), record=True)
    console.print(Screen(chronology(), watched()).frame())
    svg = without_fonts(console.export_svg(title="a play"))
    assert "url(http" not in svg
    assert "font-face" not in svg
    assert "Mukaza" in svg


@pytest.mark.parametrize("cause", LevelCause)
def test_every_cause_of_a_change_has_words(cause: LevelCause) -> None:
    told = Change("bi:c2015:mukaza", 3, 1, 2, cause.value, datetime(2015, 5, 13, tzinfo=UTC), ())
    assert f"  {CAUSES[cause]}: no open case" in Screen(chronology(), watched()).change_line(told)


def test_every_act_of_the_story_can_be_told() -> None:
    watch = watched()
    screen = Screen(chronology(), watch)
    console = Console(width=140, file=io.StringIO())
    acts = [act for act in told().acts if str(act.address[0]).startswith("/v1/cases")]
    for first in range(0, len(acts), 80):
        watch.playing.told.extend(acts[first : first + 80])
        console.print(screen.frame())
