"""Whoever asks for the same moment waits for one folding; who would be too many, or waits too long, is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from projections.case_board import PROJECTION
from services.past.asking import SQL, Bounds, Folder, NotYet, Past
from services.settings import Settings, child_environment

PATIENCE_SECONDS = 60
ONE, ANOTHER = UUID(int=1), UUID(int=2)
SOON, LATE = 0.01, 60.0


class Stands:
    """A database that knows what stands, and a folder that folds when it is let."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: set[int] = set()
        self.folded: list[int] = []
        self.go_on = asyncio.Event()
        self.fails: str | None = None
        monkeypatch.setattr(Folder, "fold", self.fold)

    async def look(self, query: str, *of: Any) -> Any:
        if query == SQL["acknowledged"]:
            return 1_000
        name, version, form, position = of
        assert (name, version, form) == (PROJECTION.name, PROJECTION.version, PROJECTION.form)
        return f"past_{name}_{position}" if position in self.known else None

    async def fold(self, name: str, position: int, end: int, seconds: float) -> str:
        assert end == 1_000
        self.folded.append(position)
        await self.go_on.wait()
        if self.fails:
            raise NotYet(self.fails)
        self.known.add(position)
        return f"past_{name}_{position}"

    def past(self, **bounds: Any) -> Past:
        return Past(
            self.look,
            {},
            Bounds(**{"waiting": 2, "waiting_of_one": 2, "answer_seconds": LATE, "fold_seconds": LATE} | bounds),
        )


@pytest.fixture
async def stands(monkeypatch: pytest.MonkeyPatch) -> Stands:
    return Stands(monkeypatch)


async def test_one_folding_serves_all_who_ask_for_a_moment_and_what_stands_is_not_folded(stands: Stands) -> None:
    past = stands.past()
    waiting = [asyncio.create_task(past.place(PROJECTION, 7, ONE)) for _ in range(5)]
    await asyncio.sleep(0)
    stands.go_on.set()
    assert await asyncio.gather(*waiting) == ["past_case_board_7"] * 5
    assert await past.place(PROJECTION, 7, ONE) == "past_case_board_7"
    assert stands.folded == [7]
    await past.close()


async def test_one_too_many_is_told_and_the_others_are_served(stands: Stands) -> None:
    past = stands.past()
    waiting = [asyncio.create_task(past.place(PROJECTION, position, ONE)) for position in (1, 2)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(stands.folded) < 2:  # noqa: ASYNC110 - tasks of this loop
            await asyncio.sleep(0)
    with pytest.raises(NotYet, match="2 other moments wait to be folded: ask again when they are done"):
        await past.place(PROJECTION, 3, ANOTHER)
    stands.go_on.set()
    assert await asyncio.gather(*waiting) == ["past_case_board_1", "past_case_board_2"]
    assert await past.place(PROJECTION, 3, ONE) == "past_case_board_3"
    await past.close()


async def test_one_person_does_not_take_all_places(stands: Stands) -> None:
    past = stands.past(waiting=3)
    waiting = [asyncio.create_task(past.place(PROJECTION, position, ONE)) for position in (1, 2)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(stands.folded) < 2:  # noqa: ASYNC110 - tasks of this loop
            await asyncio.sleep(0)
    with pytest.raises(NotYet, match="2 moments that you asked for wait to be folded: ask again when one of them is"):
        await past.place(PROJECTION, 3, ONE)
    others = [asyncio.create_task(past.place(PROJECTION, position, ANOTHER)) for position in (1, 2, 3)]
    with_them = asyncio.create_task(past.place(PROJECTION, 2, ONE))
    await asyncio.sleep(0)
    stands.go_on.set()
    assert len(await asyncio.gather(*waiting, *others, with_them)) == 6
    assert stands.folded == [1, 2, 3]
    assert await past.place(PROJECTION, 4, ONE) == "past_case_board_4"
    await past.close()


async def test_who_waits_too_long_is_told_and_finds_it_folded_later(stands: Stands) -> None:
    past = stands.past(answer_seconds=SOON)
    with pytest.raises(NotYet, match="case_board is being folded up to position 9: ask again soon"):
        await past.place(PROJECTION, 9, ONE)
    stands.go_on.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while 9 not in stands.known:  # noqa: ASYNC110 - a task of this loop
            await asyncio.sleep(0)
    assert await past.place(PROJECTION, 9, ONE) == "past_case_board_9"
    assert stands.folded == [9]
    await past.close()


async def test_what_fails_is_told_and_tried_again_for_the_next_one(stands: Stands) -> None:
    past = stands.past()
    stands.fails = "the log lacks something"
    stands.go_on.set()
    with pytest.raises(NotYet, match="the log lacks something"):
        await past.place(PROJECTION, 4, ONE)
    stands.fails = None
    assert await past.place(PROJECTION, 4, ONE) == "past_case_board_4"
    assert stands.folded == [4, 4]
    await past.close()


async def test_a_process_that_cannot_begin_says_why(tmp_path: Path) -> None:
    folder = Folder(child_environment(Settings(data_folder=tmp_path)))
    with pytest.raises(NotYet, match=r"case_board cannot be folded up to position 4 now: No stack runs in "):
        await folder.fold("case_board", 4, 4, PATIENCE_SECONDS)
    await folder.end()


async def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    folder = Folder(child_environment(Settings(data_folder=tmp_path)))
    with pytest.raises(NotYet, match="folding case_board up to position 4 took more than 0 s"):
        await folder.fold("case_board", 4, 4, 0)
    await folder.end()
