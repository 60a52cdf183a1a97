"""How questions asked at one moment share an answer, and what each caller learns when something goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from services.vault.batch import MOST_QUESTIONS, Batch
from services.vault.refused import KeyGone, VaultError, VaultUnavailable


class Oracle:
    """Answers with the square; 13 is gone. Holds each batch back until told to go on."""

    def __init__(self, *faults: Exception) -> None:
        self.asked: list[list[int]] = []
        self.faults = list(faults)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.was_asked = asyncio.Event()

    async def __call__(self, questions: Sequence[int]) -> Mapping[int, int | VaultError]:
        self.asked.append(sorted(questions))
        self.was_asked.set()
        await self.go_on.wait()
        if self.faults:
            raise self.faults.pop(0)
        return {question: KeyGone() if question == 13 else question**2 for question in questions}


async def test_callers_at_one_moment_are_asked_for_together_and_once_each() -> None:
    oracle = Oracle()
    batch = Batch[int, int]("ask", oracle)
    answers = await asyncio.gather(batch.ask([1, 2]), batch.ask([2, 3]), batch.ask([3]))
    assert list(answers) == [{1: 1, 2: 4}, {2: 4, 3: 9}, {3: 9}]
    assert oracle.asked == [[1, 2, 3]]


async def test_who_comes_while_others_are_asked_for_is_in_the_next_batch() -> None:
    oracle = Oracle()
    batch = Batch[int, int]("ask", oracle)
    oracle.go_on.clear()
    first = asyncio.create_task(batch.ask([1]))
    await oracle.was_asked.wait()
    rest = [asyncio.create_task(batch.ask([number])) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    oracle.go_on.set()
    assert [await task for task in (first, *rest)] == [{1: 1}, {2: 4}, {3: 9}, {4: 16}]
    assert oracle.asked == [[1], [2, 3, 4]]


async def test_a_batch_is_not_larger_than_its_limit_unless_one_caller_is() -> None:
    oracle = Oracle()
    batch = Batch[int, int]("ask", oracle)
    many = range(100, MOST_QUESTIONS + 105)
    await asyncio.gather(batch.ask(many), *(batch.ask([number]) for number in range(20_000, 20_000 + MOST_QUESTIONS)))
    assert [len(questions) for questions in oracle.asked] == [MOST_QUESTIONS + 5, MOST_QUESTIONS]


async def test_a_question_without_an_answer_refuses_its_caller_only() -> None:
    batch = Batch[int, int]("ask", Oracle())
    answers = await asyncio.gather(batch.ask([1]), batch.ask([2, 13]), return_exceptions=True)
    assert answers[0] == {1: 1}
    assert isinstance(answers[1], KeyGone)


async def test_a_broken_connection_is_tried_once_more_and_no_oftener() -> None:
    once = Oracle(ConnectionResetError())
    assert await Batch[int, int]("ask", once).ask([2]) == {2: 4}
    assert once.asked == [[2], [2]]
    twice = Oracle(ConnectionResetError(), ConnectionResetError())
    batch = Batch[int, int]("ask", twice)
    with pytest.raises(VaultUnavailable, match=r"while it should ask \(ConnectionResetError\)"):
        await batch.ask([2])
    assert await batch.ask([3]) == {3: 9}


async def test_any_other_fault_is_told_without_its_text() -> None:
    batch = Batch[int, int]("ask", Oracle(RuntimeError("CANARY")))
    with pytest.raises(VaultUnavailable, match="RuntimeError") as refused:
        await batch.ask([2])
    assert "CANARY" not in str(refused.value)
    assert await batch.ask([2]) == {2: 4}


async def test_a_caller_who_leaves_takes_nobody_along() -> None:
    oracle = Oracle()
    batch = Batch[int, int]("ask", oracle)
    oracle.go_on.clear()
    leaving, staying = asyncio.create_task(batch.ask([1])), asyncio.create_task(batch.ask([2]))
    await oracle.was_asked.wait()
    leaving.cancel()
    oracle.go_on.set()
    assert await asyncio.wait_for(staying, 20) == {2: 4}
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_closing_leaves_nobody_waiting() -> None:
    oracle = Oracle()
    batch = Batch[int, int]("ask", oracle)
    oracle.go_on.clear()
    asked = asyncio.create_task(batch.ask([1]))
    await oracle.was_asked.wait()
    waiting = asyncio.create_task(batch.ask([2]))
    await asyncio.sleep(0)
    await batch.close()
    for task in (asked, waiting):
        with pytest.raises(VaultUnavailable, match="closing"):
            await task
