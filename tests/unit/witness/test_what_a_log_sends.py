"""Requests to a witness are read as C2SP tlog-witness has them, and each refusal has the status that it gives."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from services.tlog.notes import Verifier
from services.tlog.offline.verify import USAGE, read_checkpoints, read_keys, signed_by
from services.witness.folder import Folder
from services.witness.refused import SIZE_TYPE, OtherSize, Refused
from services.witness.submission import Submission
from services.witness.witness import Witness
from tests.support import reference_merkle as reference
from tests.support.signed_logs import LogKey
from tests.support.witnessing import NOON, ORIGIN, TrialLog, entries, is_cosigned, new_folder, request, signed

SPECIFIED = (
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
    "cTOAYQ8=\n"
    "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++"
    "qbSzm9Q=\n"
)
"""The example of C2SP tlog-witness."""

HONEST, FORK = TrialLog(entries(12)), TrialLog(entries(5) + entries(9, "other"))
STRANGER = LogKey("stranger", ORIGIN)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return new_folder(tmp_path / "w")


def answered(folder: Folder, body: bytes) -> tuple[int, str]:
    """As it is told over HTTP."""
    with Witness.opened(folder) as witness:
        try:
            return 200, witness.add(body, NOON)
        except Refused as refused:
            return refused.status, str(refused)


def test_the_example_of_the_specification_is_read() -> None:
    read = Submission.read(SPECIFIED.encode())
    assert (read.old, len(read.proof), read.checkpoint.origin) == (20_852_014, 4, "example.com/behind-the-sofa")
    assert (read.checkpoint.head.size, len(read.checkpoint.note.signatures)) == (20_852_163, 2)
    assert b64encode(read.proof[0]).decode() == "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="


def test_a_log_that_grows_is_cosigned_from_nothing_on(folder: Folder) -> None:
    for old, size in ((0, 3), (3, 3), (3, 4), (4, 11), (11, 12)):
        status, line = answered(folder, HONEST.request(old, size))
        assert status == 200, line
        assert is_cosigned(folder, HONEST.note(size).split("\n\n")[0] + "\n", line)


def test_the_empty_tree_is_a_size_of_its_own(folder: Folder) -> None:
    assert answered(folder, HONEST.request(0, 0))[0] == 200
    assert answered(folder, HONEST.request(0, 0))[0] == 200
    other = request(0, [], signed(HONEST.key, 0, bytes(32)))
    assert answered(folder, other) == (409, "the log has forked: it signed two roots of size 0")
    assert answered(folder, HONEST.request(0, 2, [bytes(32)]))[0] == 422, "from nothing a proof is empty"
    assert answered(folder, HONEST.request(0, 2))[0] == 200
    assert answered(folder, HONEST.request(0, 0)) == (409, "2")


def test_who_begins_from_another_size_is_told_the_one_that_was_cosigned_last(folder: Folder) -> None:
    assert answered(folder, HONEST.request(4, 9)) == (409, "0")
    assert answered(folder, HONEST.request(0, 9))[0] == 200
    for old, size in ((0, 9), (0, 12), (4, 4), (8, 12), (10, 12)):
        assert answered(folder, HONEST.request(old, size)) == (409, "9")
    assert OtherSize(9).media_type == SIZE_TYPE == "text/x.tlog.size"


def test_a_second_history_is_refused(folder: Folder) -> None:
    assert answered(folder, HONEST.request(0, 9))[0] == 200
    assert answered(folder, FORK.request(9, 9)) == (409, "the log has forked: it signed two roots of size 9")
    for proof in (reference.proof(9, FORK.entries[:12]), reference.proof(9, HONEST.entries[:12]), [], [bytes(32)] * 63):
        assert answered(folder, FORK.request(9, 12, proof))[0] == 422
    assert answered(folder, HONEST.request(9, 9, [bytes(32)]))[0] == 422, "of one size a proof is empty"
    assert answered(folder, HONEST.request(9, 12))[0] == 200
    (kept,) = folder.forks()
    known, other = read_checkpoints(kept.read_text(), "the fork", USAGE)
    keys = read_keys(HONEST.key.vkey, "the key", USAGE)
    assert (known.size, other.size, known.root == other.root) == (9, 9, False)
    assert signed_by(known, keys, "the fork") == [0]
    assert signed_by(other, keys, "the fork") == [0]


def test_only_a_key_of_this_log_signs_it(folder: Folder) -> None:
    stranger = TrialLog(HONEST.entries, STRANGER)
    assert answered(folder, stranger.request(0, 3)) == (403, "no key that is known here signed this")
    both = HONEST.note(3) + STRANGER.line("whatever it signs")
    assert answered(folder, request(0, [], both))[0] == 200, "a signature of an unknown key is passed over"
    text, line = HONEST.note(3).split("\n\n")[0] + "\n", HONEST.note(4).split("\n\n")[1]
    assert answered(folder, request(3, [], f"{text}\n{line}"))[0] == 403
    elsewhere = TrialLog(HONEST.entries, LogKey("trial", "another.example.org"))
    status, said = answered(folder, elsewhere.request(0, 3))
    assert (status, said) == (404, "this witness does not watch a log 'another.example.org'")
    folder.trust(Verifier.parse(STRANGER.vkey))  # a new key of the log
    assert answered(folder, TrialLog(HONEST.entries, STRANGER).request(3, 5))[0] == 200


GOOD = HONEST.request(0, 3).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0\n",
        GOOD.replace("old 0", "old -1"),
        GOOD.replace("old 0", "old 00"),
        GOOD.replace("old 0", "old ٣"),
        GOOD.replace("old 0", "old 0 "),
        GOOD.replace("old 0", "Old 0"),
        GOOD.replace("old 0\n", "old 0\nnot base64\n"),
        GOOD.replace("old 0\n", f"old 0\n{b64encode(bytes(31)).decode()}\n"),
        GOOD.replace("old 0\n", "old 0\n" + f"{b64encode(bytes(32)).decode()}\n" * 64),
        GOOD.replace("old 0", "old 4"),
        GOOD.replace("\n3\n", "\n03\n"),
        GOOD.replace("\n3\n", "\n٣\n"),
        GOOD.replace("\n3\n", f"\n{1 << 63}\n"),
        GOOD.replace("\n3\n", "\n"),
        GOOD.removesuffix("\n"),
        GOOD.replace("— ", "- "),
        GOOD + "\n",
    ],
)
def test_what_is_no_request_is_refused_and_changes_nothing(folder: Folder, body: str) -> None:
    status, said = answered(folder, body.encode())
    assert status == 400 or (status == 403 and "٣" not in body), said
    assert folder.state().logs == {}


def test_bytes_that_are_no_text_are_refused(folder: Folder) -> None:
    assert answered(folder, GOOD.encode().replace(b"log", b"\xff\xfe"))[0] == 400


def test_lines_that_a_log_adds_to_its_checkpoint_are_cosigned_with_it(folder: Folder) -> None:
    text = HONEST.note(3).split("\n\n")[0] + "\nan extension\n"
    status, line = answered(folder, request(0, [], f"{text}\n{HONEST.key.line(text)}"))
    assert status == 200
    assert is_cosigned(folder, text, line)
