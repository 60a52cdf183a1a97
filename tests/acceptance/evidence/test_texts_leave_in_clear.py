"""With two approvals a pack shows the texts of its case, each opening recorded; without them, nothing of anybody."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path

from events.catalogue import read
from events.custody import SAY_WHO, ExportMade, RecordViewed
from events.sealed import KeyKind
from services.evidence.clear import without_numbers
from tests.support.canaries import Canaries
from tests.support.checkpoints import wires_of
from tests.support.history import ALLEGED, CANARY, PHONES, Story
from tests.support.packs import Said, contents, destroy_keys, everything_said, made_anew, sign, take, verified
from tests.support.signed_ledgers import KEY
from tests.support.stack import Stack

CLERK = ("--person", "clerk", "--role", "custodian", "--in-clear", "--key", KEY.vkey)


def approved(stack: Stack, case_id: str, approver: str, *how: str, taker: str = "clerk") -> str:
    run = stack.command("evidence", "approve", case_id, "--taker", taker, "--approver", approver, *how)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def take_in_clear(
    stack: Stack, case_id: str, file: Path, *approvals: str, how: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    given = [word for one in approvals for word in ("--approval", one)]
    return stack.command("evidence", case_id, str(file), *CLERK, *how, *given)


def words_of_its_records(said: list[Said], files: dict[str, bytes]) -> set[tuple[str, int, str, str]]:
    """What may leave: texts of its case and reports that say of nobody who they are."""
    events = [
        json.loads(line) for name, one in files.items() if name.startswith("events/") for line in one.splitlines()
    ]
    records = {event["subject"] for event in events if event["subject"].startswith(("case/", "report/"))}
    return {
        (one.stream, one.version, one.field, without_numbers(one.text))
        for one in said
        if one.stream in records and one.kind is not KeyKind.PERSON and SAY_WHO.isdisjoint(one.field.split("."))
    }


def shown_in(files: dict[str, bytes]) -> set[tuple[str, int, str, str | None]]:
    lines = [json.loads(line) for name, one in files.items() if name.startswith("texts/") for line in one.splitlines()]
    return {(one["subject"], one["streamversion"], one["field"], one["text"]) for one in lines}


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def views(story: Story) -> list[RecordViewed]:
    events = [read(wire).data for wire in await wires_of(story.network.desk.ledger)]
    return [event for event in events if isinstance(event, RecordViewed)]


async def test_without_approvals_no_plaintext_of_the_vault_is_in_a_pack(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    await sign(stack, story)
    pack = tmp_path / "pack.zip"
    assert take(stack, case_id, pack).returncode == 0
    held = b"".join(contents(pack).values())
    said = await everything_said(stack, story)
    assert len({one.field for one in said}) > 10
    unmistakable = {one.text for one in said if one.text.startswith(CANARY)} | {ALLEGED}
    assert len(unmistakable) > 40
    for text in (*unmistakable, *PHONES.values()):
        assert text.encode() not in held
        assert text.replace(" ", "%20").encode() not in held
    assert "texts/" not in "".join(contents(pack))
    people = Canaries()
    for name, person in story.people.items():
        people.watch(name, str(person))
    assert people.in_bytes(held, "the pack") == []


async def test_two_approvals_show_the_texts_of_the_case_and_no_others(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    await sign(stack, story)
    before, said = await views(story), await everything_said(stack, story)
    pack = tmp_path / "pack.zip"
    approvals = [approved(stack, case_id, name) for name in ("anna", "ben")]
    taken = take_in_clear(stack, case_id, pack, *approvals)
    assert taken.returncode == 0, taken.stderr
    files = contents(pack)
    assert verified(pack, "--key", KEY.vkey)[0] == 0
    assert pack.stat().st_mode & 0o077 == 0

    expected = words_of_its_records(said, files)
    assert shown_in(files) == expected
    assert len(expected) > 20
    page, held = files["index.html"].decode(), b"".join(files.values())
    assert [text for *_, text in expected if text not in page] == []
    shown = {(one.stream, one.version, one.field) for one in said} & {one[:3] for one in expected}
    stays = {one.text for one in said if one.text.startswith(CANARY)} - {
        one.text for one in said if (one.stream, one.version, one.field) in shown
    }
    assert {"reporter name", "reporter contact", "report contact"} <= {one.split("-")[2] for one in stays}
    for text in (*stays, *PHONES.values()):
        assert text.encode() not in held
    people = Canaries()
    for name, person in story.people.items():
        people.watch(name, str(person))
    assert people.in_bytes(held, "the pack") == []

    made = read((await story.network.desk.ledger.read_stream(f"custody/{case_id}"))[-1].wire())
    assert isinstance(made.data, ExportMade)
    assert made.data.manifest_hash == sha256(files["manifest.json"]).hexdigest()
    named = {(one.viewed, one.viewed_version, field) for one in made.data.in_clear for field in one.fields}
    assert named == {one[:3] for one in expected}
    opened = (await views(story))[len(before) :]
    assert {(one.viewed, one.viewed_version, field) for one in opened for field in one.fields} == named
    assert {len(set(one.approved_by)) for one in opened} == {2}
    assert {one.purpose for one in opened} == {"audit"}
    log = b"".join(await wires_of(story.network.desk.ledger))
    assert CANARY.encode() not in log, "the log has nothing in clear"

    again = take_in_clear(stack, case_id, tmp_path / "again.zip", *approvals)
    assert again.returncode == 1
    assert "used before" in again.stderr
    assert names_in(tmp_path) == ["pack.py", "pack.zip"]
    assert len(await views(story)) == len(before) + len(opened)

    words = {"texts/000001.jsonl": files["texts/000001.jsonl"].replace(CANARY.encode(), b"FORGED")}
    forged = made_anew(files | words, tmp_path / "forged.zip")
    for one, is_named in ((pack, True), (forged, False)):
        status, sentence = verified(one, "--key", KEY.vkey)
        assert "texts in clear among them, no signature covers" in sentence
        assert (status, made.data.manifest_hash in sentence) == (0, is_named)


async def test_without_two_others_nothing_leaves_and_each_reason_has_its_sentence(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    before = len(await wires_of(story.network.desk.ledger))
    other = next(order.target for order, _ in story.answers if type(order.command).__name__ == "NotRatify")
    one = approved(stack, case_id, "anna")
    wrong: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "none": ((), ()),
        "one person": ((one, approved(stack, case_id, "anna")), ()),
        "another case": ((one, approved(stack, other, "ben")), ()),
        "as auditor": ((one, approved(stack, case_id, "ben")), ("--role", "auditor")),
    }
    said = {}
    for name, (given, how) in wrong.items():
        run = take_in_clear(stack, case_id, tmp_path / "none.zip", *given, how=how)
        assert (run.returncode, "Traceback" in run.stderr) == (1, False), (name, run.stderr)
        said[name] = run.stderr
    assert "when two others approved it" in said["one person"] == said["none"]
    assert len(set(said.values())) == len(wrong) - 1
    assert names_in(tmp_path) == []
    assert len(await wires_of(story.network.desk.ledger)) == before, "nothing was opened, and nothing recorded"
    for how in (("--role", "consumer"), ("--role", "reviewer"), ("--taker", "anna")):
        run = stack.command("evidence", "approve", case_id, "--taker", "clerk", "--approver", "anna", *how)
        assert (run.returncode, run.stdout) == (1, ""), how
    nobody = str(story.people["deo"])
    assert stack.command("evidence", "approve", nobody, "--taker", "clerk", "--approver", "anna").returncode == 1


async def test_what_was_erased_stays_so(stack: Stack, story: Story, case_id: str, tmp_path: Path) -> None:
    """The last test of its stack: a report's key is destroyed, and its texts are in no pack any more."""
    said = await everything_said(stack, story)
    its_text = next(one for one in said if one.text == story.canaries["report text"])
    await destroy_keys(stack, {its_text.key_id})
    left = await everything_said(stack, story)
    gone = {one.text for one in said} - {one.text for one in left}
    assert gone
    pack = tmp_path / "pack.zip"
    taken = take_in_clear(stack, case_id, pack, *(approved(stack, case_id, name) for name in ("anna", "ben")))
    assert taken.returncode == 0, taken.stderr
    files = contents(pack)
    held = b"".join(files.values())
    assert [text for text in gone if text.encode() in held] == []
    shown = shown_in(files)
    assert {one for one in shown if one[3] is not None} == words_of_its_records(left, files)
    assert {one[2] for one in shown if one[3] is None} >= {"text"}, "that something was there is said"
    assert "erased for ever" in files["index.html"].decode()
