"""What the README names is there; what it prints is run by tests/acceptance/test_readme.py."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text("utf-8")


def test_every_folder_of_the_map_is_there() -> None:
    named = re.findall(r"`([a-z_/]+(?:/|\.py))`", README.partition("## The map")[2].partition("##")[0])
    assert len(named) > 10
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_everything_that_it_links_to_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(linked) > 5
    assert [name for name in linked if not (REPOSITORY / name).exists()] == []


def test_every_target_of_make_that_it_names_is_there() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)(?=[ `\n])", README.replace("`make` alone", ""))) <= {*targets}


def test_it_is_short() -> None:
    assert README.count("\n") < 150
