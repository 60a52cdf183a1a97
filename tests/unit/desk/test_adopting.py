"""What every processor will read is refused at the door where no fold could take it; nothing is written then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from events import reference
from events.command import Command
from events.refusals import BadInput
from projections.live import LIVE
from projections.rule_set import hash_of
from services.acts.adopting import KNOWN_ENGINES
from tests.support.history import RULES, Story

SOUND = RULES.read_text("utf-8")


async def refused(story: Story, command: type[Command], **fields: Any) -> BadInput:
    with pytest.raises(BadInput) as told:
        await story.register(command, **fields)
    assert (await story.network.desk.ledger.head()).position == 0
    return told.value


def rules(text: str, hashed: str | None = None) -> Mapping[str, Any]:
    return {"rule_set": "burundi", "content": text, "content_hash": hashed or hash_of(text)}


async def test_a_rule_set_that_no_fold_could_read_is_refused_with_its_line(story: Story) -> None:
    told = await refused(story, reference.AdoptRules, **rules(SOUND.replace("points = ", "points = -", 1)))
    assert any(problem.field.startswith("content, line ") for problem in told.problems)


async def test_a_rule_set_that_is_no_toml_is_refused_with_its_line(story: Story) -> None:
    told = await refused(story, reference.AdoptRules, **rules(SOUND + "\nthis is = = not\n"))
    assert told.problems[0].expected == "TOML"


async def test_a_rule_set_under_another_hash_is_refused(story: Story) -> None:
    told = await refused(story, reference.AdoptRules, **rules(SOUND, "0" * 64))
    assert [problem.field for problem in told.problems] == ["content_hash"]


async def test_a_sound_rule_set_is_adopted(story: Story) -> None:
    await story.register(reference.AdoptRules, **rules(SOUND))
    assert (await story.network.desk.ledger.head()).position == 1


async def test_a_gazetteer_that_cannot_be_read_is_refused(story: Story) -> None:
    content = story.network.gazetteer.content() | {"units": []}
    told = await refused(
        story, reference.AdoptGazetteer, gazetteer="burundi", content=content, content_hash=hash_of("anything")
    )
    assert told.problems


async def test_a_gazetteer_under_another_hash_is_refused(story: Story) -> None:
    told = await refused(
        story,
        reference.AdoptGazetteer,
        gazetteer="burundi",
        content=story.network.gazetteer.content(),
        content_hash="0" * 64,
    )
    assert [problem.field for problem in told.problems] == ["content_hash"]


@pytest.mark.parametrize(("projection", "number"), [("alert_level", 99), ("case_board", 1), ("weather", 1)])
async def test_an_engine_that_no_worker_has_is_refused(story: Story, projection: str, number: int) -> None:
    told = await refused(story, reference.AdoptEngine, projection=projection, number=number)
    assert [problem.field for problem in told.problems] == ["number" if projection == "alert_level" else "projection"]


def test_every_projection_with_engines_is_live_in_its_newest() -> None:
    newest = {one.name: one.version for one in LIVE if one.name in KNOWN_ENGINES}
    assert newest == {name: max(numbers) for name, numbers in KNOWN_ENGINES.items()}
