"""A witness goes on from what it cosigned last, or not at all: a state put back, copied, cut or edited is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from services.cli.witness import status
from services.local.problems import AlreadyRunning
from services.local_problem import LocalProblem
from services.tlog.notes import Note
from services.tlog.offline.verify import USAGE, read_checkpoints, read_keys, signed_by
from services.witness.folder import Folder, FolderRefused, StateOlder
from services.witness.refused import NotNow, Refused
from services.witness.resuming import Unresumed, resumed
from services.witness.witness import Witness
from tests.support import reference_merkle as reference
from tests.support.signed_logs import LogKey
from tests.support.witnessing import NOON, ORIGIN, TrialLog, entries, new_folder

HONEST, FORK = TrialLog(entries(16)), TrialLog(entries(4) + entries(12, "other"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return new_folder(tmp_path / "w")


def cosign(folder: Folder, *sizes: int, of: TrialLog = HONEST) -> str:
    """The last one, with its cosignature."""
    with Witness.opened(folder) as witness:
        last = folder.state().logs.get(ORIGIN)
        before, line = (last.head.size if last else 0), ""
        for size in sizes:
            line = witness.add(of.request(before, size), NOON)
            before = size
    return of.note(before) + line


def refused(folder: Folder) -> str:
    with pytest.raises(StateOlder) as told, Witness.opened(folder):
        pass
    return str(told.value)


def test_two_processes_do_not_cosign_over_one_state(folder: Folder) -> None:
    with Witness.opened(folder), pytest.raises(AlreadyRunning, match="two histories"), Witness.opened(folder):
        pass
    cosign(folder, 3)


@pytest.mark.parametrize("name", ["state.json", "mark.json"])
def test_one_file_that_is_put_back_from_a_backup_is_noticed(folder: Folder, name: str, tmp_path: Path) -> None:
    cosign(folder, 3)
    shutil.copy2(folder.path / name, tmp_path / name)
    cosign(folder, 5, 8)
    shutil.copy2(tmp_path / name, folder.path / name)
    assert "is older than what was cosigned since" in refused(folder)
    assert "witness resume" in refused(folder)


def test_a_folder_that_is_copied_or_put_back_whole_is_noticed(folder: Folder, tmp_path: Path) -> None:
    cosign(folder, 3)
    shutil.copytree(folder.path, tmp_path / "copy")
    assert "was put back from a backup, or copied" in refused(Folder(tmp_path / "copy"))
    folder.path.rename(tmp_path / "moved")
    cosign(Folder(tmp_path / "moved"), 5)  # moved it is the same one


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"seconds": 1', '"seconds": 2'),
        lambda text: text.replace("\\n8\\n", "\\n5\\n"),
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "{}",
        lambda text: "[]",
    ],
)
def test_a_state_that_is_cut_or_edited_is_noticed(folder: Folder, spoil: Callable[[str], str]) -> None:
    cosign(folder, 3, 8)
    text = (folder.path / "state.json").read_text()
    (folder.path / "state.json").write_text(spoil(text))
    assert spoil(text) != text
    assert "is missing, cut or edited" in refused(folder)


@pytest.mark.parametrize("name", ["state.json", "mark.json"])
def test_a_state_that_is_missing_is_no_new_witness(folder: Folder, name: str) -> None:
    cosign(folder, 3)
    (folder.path / name).unlink()
    refused(folder)


def test_a_witness_that_was_put_back_goes_on_from_what_it_cosigned(folder: Folder, tmp_path: Path) -> None:
    cosign(folder, 3)
    old = (folder.path / "state.json").read_bytes()
    last = cosign(folder, 5, 8)
    (folder.path / "state.json").write_bytes(old)
    with folder.owned():
        with pytest.raises(Unresumed, match="nothing shows what was cosigned last of log"):
            resumed(folder, [], as_it_is=False)
        with pytest.raises(Refused, match="bears no cosignature of witness"):
            resumed(folder, [HONEST.note(12)], as_it_is=False)
        folder.write(resumed(folder, [last], as_it_is=False))
    with Witness.opened(folder) as witness:
        with pytest.raises(Refused):
            witness.add(FORK.request(3, 9), NOON)
        with pytest.raises(Refused):
            witness.add(FORK.request(8, 9), NOON)
        assert witness.add(HONEST.request(8, 9), NOON)


def test_one_of_whose_state_nothing_is_left_goes_on_too(folder: Folder) -> None:
    last = cosign(folder, 3, 8)
    (folder.path / "state.json").unlink()
    (folder.path / "mark.json").unlink()
    with folder.owned():
        folder.write(resumed(folder, [last], as_it_is=False))
    assert Note.parse(folder.state().logs[ORIGIN].note).text == HONEST.note(8).split("\n\n")[0] + "\n"
    cosign(folder, 9)


def test_an_older_checkpoint_takes_nothing_back(folder: Folder) -> None:
    before, _ = cosign(folder, 3), cosign(folder, 8)
    with folder.owned():
        folder.write(resumed(folder, [before], as_it_is=False))
    assert folder.state().logs[ORIGIN].head.size == 8
    cosign(folder, 9)


def test_that_it_cosigned_two_histories_is_told(folder: Folder, tmp_path: Path) -> None:
    cosign(folder, 3)
    for name in ("state.json", "mark.json"):
        shutil.copy2(folder.path / name, tmp_path / name)
    one = cosign(folder, 8)
    for name in ("state.json", "mark.json"):  # as a machine is put back as a whole: nothing shows that
        shutil.copy2(tmp_path / name, folder.path / name)
    cosign(folder, 8, of=TrialLog(entries(3) + entries(9, "other")))
    with folder.owned(), pytest.raises(Unresumed, match="cosigned two roots of size 8"):
        resumed(folder, [one], as_it_is=False)


def test_as_it_is_is_said_by_a_person(folder: Folder, tmp_path: Path) -> None:
    cosign(folder, 3)
    shutil.copytree(folder.path, tmp_path / "copy")
    copy = Folder(tmp_path / "copy")
    with copy.owned():
        copy.write(resumed(copy, [], as_it_is=True))
    cosign(copy, 5)


def test_a_clock_that_is_set_back_makes_no_earlier_cosignature(folder: Folder) -> None:
    with Witness.opened(folder) as witness:
        first = Note.parse(HONEST.note(3) + witness.add(HONEST.request(0, 3), NOON)).signatures[-1]
        line = witness.add(HONEST.request(3, 5), NOON - timedelta(seconds=50))
        assert Note.parse(HONEST.note(5) + line).signatures[-1].signature[:8] == first.signature[:8]
        with pytest.raises(NotNow, match="clock"):
            witness.add(HONEST.request(5, 6), NOON - timedelta(hours=1))
        assert witness.add(HONEST.request(5, 6), NOON + timedelta(seconds=1))


def test_a_disk_that_takes_nothing_makes_no_cosignature(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    cosign(folder, 3)
    with Witness.opened(folder) as witness:

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("services.witness.folder.write_synced", full)
            with pytest.raises(NotNow, match="cannot write down"):
                witness.add(HONEST.request(3, 5), NOON)
        assert folder.state().logs[ORIGIN].head.size == 3
        assert witness.add(HONEST.request(3, 4), NOON)


def test_a_key_that_others_can_read_or_that_is_none_is_refused(folder: Folder, tmp_path: Path) -> None:
    (folder.path / "key.json").chmod(0o644)
    with pytest.raises(FolderRefused, match="chmod 600"):
        folder.signer()
    (folder.path / "key.json").chmod(0o600)
    (folder.path / "key.json").write_text("{}")
    with pytest.raises(FolderRefused, match="does not hold the key of a witness"):
        folder.signer()
    with pytest.raises(FolderRefused, match="holds a witness already"):
        folder.make("another")
    with pytest.raises(FolderRefused, match="There is no witness in"):
        Folder(tmp_path / "nowhere").signer()
    with pytest.raises(FolderRefused, match="cannot be the name of a witness"):
        Folder(tmp_path / "new").make("two words")


def test_the_file_of_logs_says_which_line_is_wrong(folder: Folder) -> None:
    (folder.path / "logs.txt").write_text("# ours\n\nnonsense\n")
    with pytest.raises(FolderRefused, match=r"logs.txt: nonsense: this is no Ed25519 key"):
        folder.trusted()
    (folder.path / "logs.txt").write_text(LogKey("w", "w", 4).vkey)
    with pytest.raises(FolderRefused, match="is the key of a witness"):
        folder.trusted()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    for place in (file, file / "below", Path("/proc/none")):
        with pytest.raises(FolderRefused, match=f"{place} cannot be written"):
            Folder(place).make("witness.example/w")


def test_its_status_shows_roots_whole_however_narrow_the_terminal(
    folder: Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    root = cosign(folder, 7).splitlines()[2]
    status(folder.path)
    assert f"{ORIGIN}: size 7, root {root}, cosigned {NOON:%F %T} UTC\n" in capsys.readouterr().out


def test_a_log_that_forked_and_went_on_is_shown_until_it_is_cosigned_again(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    """It signs no second root of the size that was cosigned, so no fork is kept of it, and nothing else tells of it."""
    cosign(folder, 7)
    status(folder.path)
    with Witness.opened(folder) as witness:
        for body in (FORK.request(7, 9), HONEST.request(0, 9), HONEST.request(7, 7, [bytes(32)])):
            with pytest.raises(Refused):
                witness.add(body, NOON)
    with pytest.raises(LocalProblem, match="1 logs signed what was not shown to go on from what was cosigned last"):
        status(folder.path)
    assert f"{ORIGIN}: size 7" in capsys.readouterr().out
    (kept,) = folder.unproven()
    known, other = read_checkpoints(kept.read_text(), "what is kept", USAGE)
    assert [(one.size, one.root) for one in (known, other)] == [
        (7, reference.tree_hash(HONEST.entries[:7])),
        (9, reference.tree_hash(FORK.entries[:9])),
    ]
    assert signed_by(other, read_keys(HONEST.key.vkey, "the key", USAGE), "what is kept") == [0]
    with Witness.opened(folder) as witness, pytest.raises(Refused):
        witness.add(FORK.request(7, 12), NOON)
    (kept,) = folder.unproven()
    assert [one.size for one in read_checkpoints(kept.read_text(), "what is kept", USAGE)] == [7, 12], "the last one"
    cosign(folder, 8)
    assert folder.unproven() == []
    status(folder.path)


def test_whatever_is_sent_of_a_log_of_which_nothing_is_known_tells_of_no_fork(folder: Folder) -> None:
    with Witness.opened(folder) as witness:
        for proof in ([bytes(32)], [bytes(32)] * 2):
            with pytest.raises(Refused):
                witness.add(HONEST.request(0, 3, proof), NOON)
    assert folder.unproven() == []
