"""`verify.py` says of a bundle whether history was altered, each way in a sentence and an exit status of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog.offline import verify as verifier
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    BEYOND,
    EDITED,
    KEY_UNKNOWN,
    UNPROVEN,
    UNREAD,
    USAGE,
    VERIFIED,
    Verdict,
    read_checkpoints,
    read_keys,
    verify,
)
from tests.support.bundles import Then, first_bad, judge
from tests.support.examples import examples
from tests.support.signed_logs import ORIGIN, LogKey, SignedLog, manifest, note, signed_log, size_of
from tests.support.tamperings import change, checkpoints_in, edit

OLD, NEW, STRANGER = LogKey("old"), LogKey("new"), LogKey("stranger")
WITNESS = LogKey("witness", "witness.example/w", 4)
ANOTHER_WITNESS = LogKey("another witness", "witness.example/w2", 4)
LOG = signed_log(330, OLD)
ROTATED = signed_log(330, OLD, NEW, rotated_at=150)


# --- history as it was -----------------------------------------------------------------------------------------------


def test_a_whole_log_is_verified_and_what_no_checkpoint_covers_is_said(tmp_path: Path) -> None:
    status, sentence = judge(LOG, tmp_path, OLD)
    assert status == VERIFIED
    assert f"positions 1 to {LOG.covered} of {ORIGIN} are what was signed, at 3 checkpoints" in sentence
    assert f"positions {LOG.covered + 1} to {len(LOG.wires)} fit, and no checkpoint covers them yet" in sentence
    assert "3 partitions of Kafka" in sentence


@pytest.mark.parametrize("events", range(3, 20))
def test_logs_of_every_size_are_verified(tmp_path: Path, events: int) -> None:
    log = signed_log(events + 2, OLD, each=events)
    assert log.notes
    assert judge(log, tmp_path, OLD)[0] == VERIFIED


def test_without_a_key_given_the_sentence_says_that_the_bundle_vouches_for_itself(tmp_path: Path) -> None:
    status, sentence = judge(LOG, tmp_path)
    assert status == VERIFIED
    assert "by the bundle's own keys.txt" in sentence


def test_a_key_that_replaced_another_is_followed(tmp_path: Path) -> None:
    assert judge(ROTATED, tmp_path, OLD, NEW)[0] == VERIFIED


def test_a_checkpoint_that_was_kept_is_a_root_of_the_same_log(tmp_path: Path) -> None:
    assert judge(LOG, tmp_path, OLD, kept=[note(LOG.wires, 217, OLD)])[0] == VERIFIED


def test_a_bundle_of_a_log_that_was_not_signed_yet_is_judged_by_what_was_kept(tmp_path: Path) -> None:
    unsigned = SignedLog(LOG.wires[:90], [], (OLD,))
    given = read_keys(OLD.vkey, "--key", USAGE)
    path = unsigned.write(tmp_path / "bundle.zip", origin="")
    kept = read_checkpoints(note(LOG.wires, 90, OLD), "kept", USAGE)
    assert verify(path, given, kept, None).startswith(f"Verified: positions 1 to 90 of {ORIGIN}")
    edit(unsigned.wires, 40)
    with pytest.raises(Verdict, match="between 1 and 90"):
        verify(unsigned.write(path, origin=""), given, kept, None)


def test_a_witness_who_signed_is_named_and_one_whose_signature_is_false_is_told(tmp_path: Path) -> None:
    log = LOG.copy()
    log.notes[-1] = note(log.wires, log.covered, OLD, WITNESS)
    status, sentence = judge(log, tmp_path, OLD, WITNESS)
    assert (status, "witnessed by witness.example/w" in sentence) == (VERIFIED, True)
    log.notes[-1] = log.notes[-1].replace("— witness", "— nobody", 1)
    assert "witnessed" not in judge(log, tmp_path, OLD, WITNESS)[1]
    other = note(log.wires, log.covered - 1, OLD, WITNESS).split("\n— ")[-1]
    log.notes[-1] = f"{LOG.notes[-1]}— {other}"
    assert judge(log, tmp_path, OLD, WITNESS)[0] == ALTERED


def test_a_witness_that_is_demanded_cosigned_up_to_a_position_or_nothing_is_proven(tmp_path: Path) -> None:
    log = LOG.copy()
    first, *_, last = map(size_of, log.notes)
    log.notes[0] = note(log.wires, first, OLD, WITNESS)
    status, sentence = judge(log, tmp_path, OLD, demanded=[WITNESS])
    assert (status, f"witnessed by witness.example/w up to position {first}" in sentence) == (VERIFIED, True), sentence
    assert judge(log, tmp_path, OLD, demanded=[WITNESS], position=first)[0] == VERIFIED
    status, sentence = judge(log, tmp_path, OLD, demanded=[WITNESS], position=first + 1)
    assert (status, f"cosigned up to position {first}, and not {first + 1}." in sentence) == (UNPROVEN, True), sentence
    for demanded in ([ANOTHER_WITNESS], [WITNESS, ANOTHER_WITNESS], [LogKey("of another key", WITNESS.name, 4)]):
        status, sentence = judge(log, tmp_path, OLD, demanded=demanded)
        assert (status, sentence.startswith("Not witnessed: no checkpoint bears a cosignature of")) == (UNPROVEN, True)
    status, sentence = judge(log, tmp_path, OLD, demanded=[WITNESS], kept=[note(log.wires, last, OLD, WITNESS)])
    assert (status, f"up to position {last}" in sentence) == (VERIFIED, True), "what somebody kept counts, too"


def test_a_cosignature_that_does_not_fit_is_told_to_whoever_knows_the_witness(tmp_path: Path) -> None:
    log = LOG.copy()
    line = WITNESS.line(note(log.wires, 7, OLD).partition("\n\n")[0] + "\n")
    log.notes[-1] += line
    told = f"The checkpoint of size {log.covered} is not what the witness witness.example/w cosigned: its cosignature"
    for keys, demanded in (([OLD], [WITNESS]), ([OLD, WITNESS], [])):
        status, sentence = judge(log, tmp_path, *keys, demanded=demanded)
        assert (status, sentence.startswith(told)) == (ALTERED, True), sentence
    assert judge(log, tmp_path, OLD)[0] == VERIFIED
    edit(log.wires, 40)
    status, sentence = judge(log, tmp_path, OLD, demanded=[ANOTHER_WITNESS])
    assert (status, first_bad(sentence)) == (ALTERED, 40), "an altered history comes before who did not witness it"


def test_a_folder_is_verified_as_the_zip_that_it_was(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(LOG.write(tmp_path / "bundle.zip")) as bundle:
        bundle.extractall(tmp_path / "unpacked")
    assert verify(tmp_path / "unpacked", [], [], None).startswith("Verified")


# --- history that was altered ----------------------------------------------------------------------------------------


@examples(4)
@given(position=st.integers(1, LOG.covered))
def test_a_bundle_that_was_edited_after_it_was_made_says_so_and_where(
    position: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    edited = [*LOG.wires]
    edit(edited, position)

    def then(files: dict[str, bytes]) -> None:
        for name in [one for one in files if one.startswith("events/")]:
            files[name] = files[name].replace(LOG.wires[position - 1], edited[position - 1])

    status, sentence = judge(LOG, tmp_path_factory.mktemp("edited"), OLD, then=then)
    assert (status, first_bad(sentence)) == (EDITED, position)


def test_a_log_cut_back_to_before_a_new_key_is_not_verified_by_whoever_knows_that(tmp_path: Path) -> None:
    cut = SignedLog(ROTATED.wires[:150], ROTATED.notes[:1], (OLD,))
    status, sentence = judge(cut, tmp_path, OLD, NEW)
    assert status == KEY_UNKNOWN
    assert "not the last of the keys given" in sentence


def test_an_older_log_than_the_checkpoint_that_was_kept_is_cut(tmp_path: Path) -> None:
    cut = SignedLog(LOG.wires[:150], LOG.notes[:1], (OLD,))
    assert judge(cut, tmp_path, OLD)[0] == VERIFIED
    status, sentence = judge(cut, tmp_path, OLD, kept=[LOG.notes[-1]])
    assert (status, first_bad(sentence)) == (ALTERED, 151)


def test_the_last_checkpoint_recorded_once_more_is_a_replay(tmp_path: Path) -> None:
    """Where no later one covers it, nothing but its size tells."""
    log = LOG.copy()
    first, *later = checkpoints_in(log.wires)
    log = SignedLog(log.wires[: later[0]], log.notes[:1], (OLD,))
    change(log.wires, later[0], data=json.loads(log.wires[first - 1])["data"])
    status, sentence = judge(log, tmp_path, OLD)
    assert (status, first_bad(sentence)) == (ALTERED, later[0])
    assert "no later one than that before: replayed" in sentence


def test_two_checkpoints_of_one_size_are_a_fork(tmp_path: Path) -> None:
    log = LOG.copy()
    other = [*log.wires]
    edit(other, 42)
    log.notes.insert(1, note(other, 200, OLD))
    status, sentence = judge(log, tmp_path, OLD)
    assert status == ALTERED
    assert "two checkpoints of size 200 state different roots" in sentence


def test_a_checkpoint_whose_signature_does_not_fit_is_none(tmp_path: Path) -> None:
    log = LOG.copy()
    log.notes[1] = log.notes[1].replace("\n200\n", "\n199\n")
    assert judge(log, tmp_path, OLD)[0] == ALTERED


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("events.v1/0", "it says that it follows"),
        ("events.v1/1", "stands in 0 partitions"),
    ],
)
def test_partitions_that_lack_an_event_are_found(tmp_path: Path, name: str, what: str) -> None:
    def then(files: dict[str, bytes]) -> None:
        path = f"chains/{name}/000001.txt"
        lines = files[path].splitlines(keepends=True)
        files[path] = b"".join([*lines[:5], *lines[6:]] if "follows" in what else lines[:-1])
        files["manifest.json"] = manifest({k: v for k, v in files.items() if k != "manifest.json"}, len(LOG.wires))

    status, sentence = judge(LOG, tmp_path, OLD, then=then)
    assert status == ALTERED
    assert what in sentence


# --- what is no bundle, no key, no checkpoint of this log ------------------------------------------------------------


def test_a_key_that_signed_nothing_here_is_unknown(tmp_path: Path) -> None:
    status, sentence = judge(LOG, tmp_path, STRANGER)
    assert status == KEY_UNKNOWN
    assert f"signed by {ORIGIN} (" in sentence


def test_a_checkpoint_of_another_log_is_none_of_this(tmp_path: Path) -> None:
    other = note(LOG.wires, 100, LogKey("old", "intabaza.invalid/other"), origin="intabaza.invalid/other")
    status, sentence = judge(LOG, tmp_path, OLD, kept=[other])
    assert status == ANOTHER_LOG
    assert "'intabaza.invalid/other'" in sentence


@pytest.mark.parametrize("position", [0, len(LOG.wires) + 1])
def test_a_position_beyond_the_bundle_is_told(tmp_path: Path, position: int) -> None:
    status, sentence = judge(LOG, tmp_path, OLD, position=position)
    assert status == BEYOND
    assert f"it holds positions 1 to {len(LOG.wires)}" in sentence


def test_a_position_that_no_checkpoint_covers_is_unproven(tmp_path: Path) -> None:
    assert judge(LOG, tmp_path, OLD, position=LOG.covered)[0] == VERIFIED
    assert judge(LOG, tmp_path, OLD, position=LOG.covered + 1)[0] == UNPROVEN


def test_a_log_without_a_checkpoint_is_unproven(tmp_path: Path) -> None:
    assert judge(SignedLog(LOG.wires[:90], [], (OLD,)), tmp_path, OLD)[0] == UNPROVEN


def _without(name: str) -> Then:
    return lambda files: files.__delitem__(name)


def _with(name: str, content: bytes) -> Then:
    return lambda files: files.update({name: content})


@pytest.mark.parametrize(
    ("then", "what"),
    [
        (_without("events/000002.jsonl"), "events/000002.jsonl is missing"),
        (_without("manifest.json"), "it has no manifest"),
        (_without("keys.txt"), "keys.txt is missing"),
        (_with("surplus.txt", b""), "surplus.txt is more than the manifest names"),
        (_with("keys.txt", b"no key"), "keys.txt is not what the manifest says"),
        (_with("checkpoints.txt", b""), "checkpoints.txt is not what the manifest says"),
        (_with("leaves/000001.bin", b""), "leaves/000001.bin is not what the manifest says"),
        (_with("manifest.json", b"{}"), "does not state origin, size and files"),
        (_with("manifest.json", b"\xff"), "does not state origin, size and files"),
        (_with("events/000003.jsonl", b""), "events/000003.jsonl is not what the manifest says"),
    ],
)
def test_a_bundle_whose_files_are_not_those_of_its_manifest_was_edited(tmp_path: Path, then: Then, what: str) -> None:
    status, sentence = judge(LOG, tmp_path, OLD, then=then)
    assert status == EDITED, sentence
    assert what in sentence


@examples(60)
@given(data=st.data())
def test_whoever_writes_anything_into_a_bundle_and_its_manifest_gets_a_sentence(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The bytes of any file, with sums that fit: no exception but a verdict, and no other history is verified."""
    files = LOG.files()
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name])))
    cut = data.draw(st.integers(0, 30))
    files[name] = files[name][:at] + data.draw(st.binary(max_size=20)) + files[name][at + cut :]

    def then(written: dict[str, bytes]) -> None:
        written.update(files)
        written["manifest.json"] = manifest(files, len(LOG.wires))

    status, _ = judge(LOG, tmp_path_factory.mktemp("written"), OLD, then=then)
    if status == VERIFIED and name.startswith("events/"):
        # a last line is one without its end, too: what is proven are lines
        lines = [line for one in sorted(files) if one.startswith("events/") for line in files[one].splitlines()]
        assert lines[: LOG.covered] == LOG.wires[: LOG.covered]


@examples(10)
@given(kept=st.floats(0, 0.999))
def test_a_zip_that_was_cut_is_no_bundle(kept: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = LOG.write(tmp_path_factory.mktemp("cut") / "bundle.zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(Verdict) as told:
        verify(path, [], [], None)
    assert told.value.status == EDITED


@examples(40)
@given(at=st.integers(0, 2**31), bit=st.integers(0, 7))
def test_no_bit_of_a_zip_can_turn_and_be_verified_as_something_else(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = LOG.write(tmp_path_factory.mktemp("turned") / "bundle.zip")
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= 1 << bit
    path.write_bytes(content)
    whole = verify(LOG.write(path.with_name("as it was.zip")), [], [], None)
    status, sentence = EDITED, whole
    try:
        sentence = verify(path, [], [], None)  # a bit that says nothing: a date, a permission
    except Verdict as verdict:
        status = verdict.status
    assert (status, sentence) == (EDITED, whole)


# --- as an auditor runs it -------------------------------------------------------------------------------------------


def run(*arguments: object) -> tuple[int, str]:
    """The file by itself, in a folder where nothing of ours is: status and what it says on stdout."""
    ended = subprocess.run(
        [sys.executable, "-I", verifier.__file__, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout


def test_the_file_runs_by_itself_and_shows_the_event_that_was_asked_for(tmp_path: Path) -> None:
    path = LOG.write(tmp_path / "bundle.zip")
    (tmp_path / "kept.txt").write_text(LOG.notes[0])
    (tmp_path / "keys.txt").write_text(OLD.vkey)
    status, said = run(path, "--key", tmp_path / "keys.txt", "--kept", tmp_path / "kept.txt", "--position", 7)
    sentence, event = said.splitlines()
    assert (status, sentence.startswith("Verified: ")) == (VERIFIED, True)
    assert event.encode() == LOG.wires[6]
    assert json.loads(event)["sequence"].endswith("7")


def test_the_event_that_is_shown_is_the_one_that_was_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where somebody puts another one there as soon as the file was read."""
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(LOG.write(tmp_path / "bundle.zip")).extractall(folder)

    def exchange(*_: object) -> list[str]:
        for part in (folder / "events").iterdir():
            part.write_bytes(part.read_bytes().replace(LOG.wires[6], LOG.wires[6].replace(b"subject", b"subjekt")))
        return []

    monkeypatch.setattr(verifier, "witnessed", exchange)
    monkeypatch.setattr(sys, "argv", ["verify.py", str(folder), "--position", "7"])
    assert verifier.main() == VERIFIED
    assert capsys.readouterr().out.splitlines()[1].encode() == LOG.wires[6]


def test_every_bad_input_of_the_file_is_a_sentence_and_a_status(tmp_path: Path) -> None:
    path = LOG.write(tmp_path / "bundle.zip")
    nothing = tmp_path / "nothing.txt"
    nothing.write_bytes(b"\xff nothing")
    (tmp_path / "empty.txt").touch()
    os.mkfifo(tmp_path / "pipe")  # nobody ever writes into it
    assert run(path, "--key", STRANGER.vkey)[0] == KEY_UNKNOWN
    assert run(path, "--position", 1_000)[0] == BEYOND
    for arguments, what in [
        ((tmp_path / "absent.zip",), "There is no"),
        ((path, "--key", "no key"), "cannot be read"),
        ((path, "--key", nothing), "cannot be read"),
        ((path, "--key", OLD.vkey.replace("+", "+0", 1)[:-1]), "cannot be read"),
        ((path, "--key", f"{ORIGIN}+00000000+{OLD.vkey.split('+', 2)[2]}"), "does not belong to it"),
        ((path, "--key", WITNESS.vkey), "a witness alone"),
        ((path, "--key", tmp_path / "empty.txt"), "there is none in what was given"),
        ((path, "--key", tmp_path), "is no file: save what it says to one"),
        ((path, "--key", "/dev/zero"), "is no file: save what it says to one"),
        ((path, "--key", tmp_path / "pipe"), "is no file: save what it says to one"),
        ((path, "--witness", tmp_path / "pipe"), "is no file: save what it says to one"),
        ((path, "--kept", tmp_path / "pipe"), "is no file: save what it says to one"),
        ((tmp_path / "pipe",), "is no file and no folder"),
        (("/dev/zero",), "is no file and no folder"),
        ((path, "--witness", OLD.vkey), "is no key of a witness but one of a log: give it by --key"),
        ((path, "--witness", nothing), "cannot be read"),
        ((path, "--kept", path), "cannot be read"),
    ]:
        status, said = run(*arguments)
        assert (status, what in said, said.count("\n")) == (USAGE, True, 1), said
    assert run()[0] == USAGE
    assert run(path, "--position", "first")[0] == USAGE


@pytest.mark.parametrize("altered", [False, True], ids=["whole", "altered"])
@pytest.mark.parametrize(
    ("into", "lost"),
    [("| true", False), ("| head -n 1", False), ("2>&1 | true", False), (">&-", False), (">/dev/full", True)],
)
def test_the_status_is_the_verdict_also_where_nobody_reads_it(
    tmp_path: Path, into: str, lost: bool, altered: bool
) -> None:
    """A verdict that a full disk lost is said to be lost; whoever closes a pipe has read enough."""
    log = replace(LOG, wires=[*LOG.wires])
    if altered:
        edit(log.wires, 7)
    path = log.write(tmp_path / "bundle.zip")
    program = shlex.join([sys.executable, "-I", verifier.__file__, str(path), "--position", "7"])
    line = f"{program} {into}; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert ended.returncode == (ALTERED if altered else UNREAD if lost else VERIFIED)
    assert "Traceback" not in ended.stderr
    assert "Error" not in ended.stderr
    assert ("could not be written" in ended.stderr) == lost
