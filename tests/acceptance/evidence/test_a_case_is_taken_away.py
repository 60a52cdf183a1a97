"""A case of the rich history is taken away, verifies offline, and says of itself whatever is done to it."""

from __future__ import annotations

import json
import random
from hashlib import sha256
from pathlib import Path

from events.catalogue import read
from events.custody import ExportMade
from tests.support.canaries import Canaries
from tests.support.checkpoints import checkpoint, cosign, wires_of
from tests.support.history import CANARY, Story
from tests.support.packs import by_script, contents, made_anew, sign, take, verified
from tests.support.signed_ledgers import KEY
from tests.support.signed_logs import LogKey, note, write_zip
from tests.support.stack import Stack

WITNESS = LogKey("witness", "witness.example/w1", 4)


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def test_before_anything_is_signed_a_pack_says_so(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    pack = tmp_path / "pack.zip"
    taken = take(stack, case_id, pack)
    assert taken.returncode == 0, taken.stderr
    assert "none of them signed yet" in taken.stdout
    status, said = verified(pack)
    assert (status, said[:10]) == (8, "Not signed")
    assert "Not signed" in contents(pack)["index.html"].decode()


async def test_while_the_tree_is_built_anew_that_is_said_and_nothing_is_written(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    await checkpoint(story.network.desk.ledger, KEY)
    taken = take(stack, case_id, tmp_path / "pack.zip", "--key", KEY.vkey)
    assert (taken.returncode, taken.stderr.count("\n")) == (1, 1), taken.stderr
    assert "The tree has fewer leaves than were signed: the notary builds it anew." in taken.stderr
    assert names_in(tmp_path) == []


async def test_a_pack_is_taken_recorded_and_verified(stack: Stack, story: Story, case_id: str, tmp_path: Path) -> None:
    await cosign(stack.addresses.owner_dsn, await sign(stack, story), WITNESS)
    pack = tmp_path / "pack.zip"
    taken = take(stack, case_id, pack, "--key", KEY.vkey)
    assert taken.returncode == 0, taken.stderr
    files = contents(pack)
    assert files["keys.txt"].decode().split() == [KEY.vkey, WITNESS.vkey]
    assert f"witnessed by {WITNESS.name}" in verified(pack)[1]
    status, said = verified(pack, "--key", KEY.vkey)
    assert status == 0, said
    manifest = sha256(files["manifest.json"]).hexdigest()
    assert manifest in said
    made = read((await story.network.desk.ledger.read_stream(f"custody/{case_id}"))[-1].wire()).data
    assert isinstance(made, ExportMade)
    assert (made.manifest_hash, made.exported, made.in_clear) == (manifest, f"case/{case_id}", ())
    lines = b"".join(one for name, one in sorted(files.items()) if name.startswith("events/")).splitlines()
    assert made.events == len(lines)

    wires = {int(json.loads(one)["sequence"]): one for one in await wires_of(story.network.desk.ledger)}
    assert all(wires[int(json.loads(one)["sequence"])] == one for one in lines)
    streams = {json.loads(one)["subject"].partition("/")[0] for one in lines}
    assert {"case", "report", "custody"} <= streams <= {"case", "report", "custody", "level", "alert"}
    whole = {json.loads(one)["subject"] for one in lines if json.loads(one)["subject"].startswith(("case/", "report/"))}
    there = [one for one in wires.values() if json.loads(one)["subject"] in whole]
    assert {int(json.loads(one)["sequence"]) for one in there if int(json.loads(one)["sequence"]) <= made.up_to} <= {
        int(json.loads(one)["sequence"]) for one in lines
    }
    merged = {json.loads(one)["subject"] for one in lines if json.loads(one)["type"] == "case.merged"}
    assert len(merged) == 2, "what was merged, and parted again, is in it"
    assert b"record_viewed" in files["viewed.csv"]
    assert b"export_made" in files["viewed.csv"], "the pack before this one"
    schemas = {name.split("/")[1] for name in files if name.startswith("schemas/")}
    assert schemas == {json.loads(one)["type"] for one in lines}
    assert not [name for name, one in files.items() if CANARY.encode() in one]
    people = Canaries()
    for name, person in story.people.items():
        people.watch(name, str(person))
    assert people.in_bytes(b"".join(files.values()), "the pack") == []
    assert verified(pack, "--key", LogKey("stranger").vkey)[0] == 5
    assert verified(pack, "--position", "1")[0] == 7


async def test_an_earlier_moment_has_no_more_than_was_recorded_then(
    stack: Stack, story: Story, case_id: str, tmp_path: Path
) -> None:
    await sign(stack, story)
    opened, *_, last = await story.network.desk.ledger.read_stream(f"case/{case_id}")
    pack = tmp_path / "then.zip"
    assert take(stack, case_id, pack, "--key", KEY.vkey, "--as-of", str(opened.position)).returncode == 0
    said = json.loads(contents(pack)["manifest.json"])
    assert (said["up_to"], max(said["positions"])) == (opened.position, opened.position)
    assert verified(pack)[0] == 0
    before = take(stack, case_id, tmp_path / "none.zip", "--as-of", str(opened.position - 1))
    assert before.returncode == 1
    assert not (tmp_path / "none.zip").exists()
    for beyond in (str(last.position + 10**6), "2999-01-01T00:00:00Z"):
        assert take(stack, case_id, tmp_path / "none.zip", "--as-of", beyond).returncode == 4


async def test_whatever_is_done_to_a_pack_it_says_so(stack: Stack, story: Story, case_id: str, tmp_path: Path) -> None:
    await sign(stack, story)
    pack = tmp_path / "pack.zip"
    assert take(stack, case_id, pack, "--key", KEY.vkey).returncode == 0
    assert verified(pack)[0] == 0, verified(pack)
    files = contents(pack)
    events, proofs = files["events/000001.jsonl"], files["proofs/000001.txt"]
    lines = events.splitlines(keepends=True)
    head = b"c2sp.org/tlog-proof@v1\n"
    each = [head + one for one in proofs.split(head)[1:]]
    assert len(lines) == len(each)
    chance = random.Random(7)
    for number in chance.sample(range(1, len(lines)), 8):
        edited = [*lines]
        edited[number] = edited[number].replace(b'"actorrole":"', b'"actorrole":"x')
        assert edited[number] != lines[number]
        status, said = verified(made_anew(files | {"events/000001.jsonl": b"".join(edited)}, tmp_path / "edited.zip"))
        position = int(json.loads(lines[number])["sequence"])
        assert (status, f"Position {position} is the first bad one" in said) == (3, True), said
        status, _ = verified(write_zip(tmp_path / "sum.zip", files | {"events/000001.jsonl": b"".join(edited)}))
        assert status == 4
        dropped = b"".join(lines[:number] + lines[number + 1 :])
        status, said = verified(made_anew(files | {"events/000001.jsonl": dropped}, tmp_path / "dropped.zip"))
        assert (status, f"position {position}" in said) == (4, True), said
        swapped = [*each]
        swapped[number], swapped[number - 1] = swapped[number - 1], swapped[number]
        status, said = verified(made_anew(files | {"proofs/000001.txt": b"".join(swapped)}, tmp_path / "swapped.zip"))
        assert (status, "the proof of position" in said) == (4, True), said
    wires = await wires_of(story.network.desk.ledger)
    older = note(wires, 5, KEY)
    status, said = verified(made_anew(files | {"checkpoints.txt": older.encode()}, tmp_path / "replayed.zip"))
    assert (status, "proof" in said) == (4, True), said
    foreign = note(wires, 5, LogKey("one", "elsewhere.invalid/log"), origin="elsewhere.invalid/log")
    assert verified(made_anew(files | {"checkpoints.txt": foreign.encode()}, tmp_path / "other.zip"))[0] == 6
    whole = pack.read_bytes()
    for at in (len(whole) // 3, len(whole) - 30):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(whole[:at])
        status, said = by_script(files["verify.py"], cut)
        assert (status, "no whole zip" in said) == (4, True), said


async def test_what_is_no_reason_or_no_case_leaves_nothing(stack: Stack, story: Story, tmp_path: Path) -> None:
    file = tmp_path / "none.zip"
    for case in ("no id", str(story.people["deo"])):
        assert take(stack, case, file).returncode == 1
    before = len(await wires_of(story.network.desk.ledger))
    case_id = next(order.target for order, _ in story.answers if type(order.command).__name__ == "Refer")
    assert take(stack, case_id, file, "--purpose", "review").returncode == 1
    assert take(stack, case_id, file, "--role", "consumer").returncode == 1
    assert not file.exists()
    taken = [one for one in (await wires_of(story.network.desk.ledger))[before:] if b"export_made" in one]
    assert taken == []
