"""The published contract: what the folder holds is what the code says, and what was published never changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from events.report.events import ReportReceived
from services.contracts import publish
from services.contracts.asyncapi import document
from services.contracts.lock import CONTENTS, Lock, broken, hash_of, only_more_words
from services.contracts.publish import FOLDER, ContractBroken, faults, release, write

generated = cache(publish.generated)
"""The files are the same each time, and making them takes half a second."""

EVENT = "events/report.received/1.schema.json"
EXAMPLE = "events/report.received/1.at_a_form.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, generated())
    return tmp_path


def test_the_folder_holds_what_the_code_says() -> None:
    assert list(faults(FOLDER, generated())) == []


def test_what_any_commit_published_is_still_there_unchanged() -> None:
    git = shutil.which("git")
    root = FOLDER.parent
    if git is None or not (root / ".git").exists():
        pytest.skip("no history here: the lock alone was checked")

    def run(*arguments: str) -> str:
        return subprocess.run([git, "-C", str(root), *arguments], check=True, capture_output=True, text=True).stdout

    now = Lock.of_folder(FOLDER)
    for commit in run("log", "--format=%H", "--diff-filter=AM", "--", "schemas/lock.json").split():
        then = Lock.read(run("show", f"{commit}:schemas/lock.json"))
        assert list(broken(then, now)) == []


def test_writing_twice_changes_nothing_the_second_time(folder: Path) -> None:
    assert write(folder, generated()) == []
    assert list(faults(folder, generated())) == []


def test_a_draft_may_still_be_rewritten(folder: Path) -> None:
    files = {**generated(), EXAMPLE: b"{}"}
    assert write(folder, files) == [EXAMPLE]
    assert Lock.of_folder(folder).drafts[EXAMPLE] == hash_of(b"{}")


def test_a_draft_that_no_code_makes_is_removed(folder: Path) -> None:
    files = {path: content for path, content in generated().items() if path != EXAMPLE}
    assert write(folder, files) == [EXAMPLE]
    assert not (folder / EXAMPLE).exists()


def test_a_published_file_is_never_rewritten_and_nothing_else_is_either(folder: Path) -> None:
    release(folder, generated())
    before = (folder / EXAMPLE).read_bytes()
    files = {**generated(), EXAMPLE: b"{}", "events/report.received/1.another.json": b"{}"}
    with pytest.raises(ContractBroken, match="give the event a new version instead"):
        write(folder, files)
    assert (folder / EXAMPLE).read_bytes() == before
    assert not (folder / "events/report.received/1.another.json").exists()


def test_a_new_file_beside_published_ones_is_a_draft(folder: Path) -> None:
    release(folder, generated())
    new = "events/report.received/1.another.json"
    files = {**generated(), new: b"{}"}
    assert write(folder, files) == [new]
    assert Lock.of_folder(folder).drafts.keys() == CONTENTS | {new}
    assert list(faults(folder, files)) == []


def test_a_table_of_contents_follows_the_code_after_a_release_too(folder: Path) -> None:
    assert CONTENTS.isdisjoint(release(folder, generated()))
    (contents, *_) = CONTENTS
    longer = {**json.loads(generated()[contents]), "x-more": "a line"}
    assert write(folder, {**generated(), contents: json.dumps(longer).encode()}) == [contents]
    assert any(contents in fault for fault in faults(folder, generated()))


def test_the_document_names_every_file_that_was_ever_published() -> None:
    text = (FOLDER / "asyncapi.json").read_text()
    assert [path for path in Lock.of_folder(FOLDER).published if path not in CONTENTS and f"./{path}" not in text] == []


def test_the_document_keeps_a_version_that_no_code_writes_any_more() -> None:
    schema, example = "events/alert.issued/1.schema.json", "events/alert.issued/1.raised.json"
    messages = document([schema, example, schema.replace("1.", "2."), example.replace("1.", "2.")])["components"][
        "messages"
    ]
    assert {name: message["payload"]["$ref"] for name, message in messages.items()} == {
        "alert.issued.1": "./events/alert.issued/1.schema.json",
        "alert.issued.2": "./events/alert.issued/2.schema.json",
    }


@pytest.mark.parametrize("path", [EVENT, EXAMPLE])
def test_a_published_file_that_was_edited_or_deleted_is_told(folder: Path, path: str) -> None:
    release(folder, generated())
    content = (folder / path).read_bytes()
    (folder / path).write_bytes(content + b" ")
    assert any(path in fault and "put it back" in fault for fault in faults(folder, generated()))
    (folder / path).unlink()
    assert any(path in fault and "put it back" in fault for fault in faults(folder, generated()))


def test_a_version_that_the_code_no_longer_writes_stays_published(folder: Path) -> None:
    release(folder, generated())
    newest_only = {path: content for path, content in generated().items() if "report.received" not in path}
    assert write(folder, newest_only) == []
    assert (folder / EXAMPLE).exists()
    assert list(faults(folder, newest_only)) == []


def test_a_draft_that_a_newer_version_followed_is_published_by_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReportReceived, "schema_version", 2)
    newest = {path.replace("received/1.", "received/2."): content for path, content in generated().items()}
    assert any(f"{EVENT} has a newer version" in fault for fault in faults(folder, newest))
    write(folder, newest)
    assert {EVENT, EXAMPLE} <= Lock.of_folder(folder).published.keys()
    assert list(faults(folder, newest)) == []
    (folder / EXAMPLE).unlink()
    assert any(EXAMPLE in fault and "put it back" in fault for fault in faults(folder, newest))


def test_a_stale_missing_or_foreign_draft_is_told(folder: Path) -> None:
    (folder / EXAMPLE).write_bytes(b"{}")
    (folder / EVENT).unlink()
    (folder / "events/report.received/9.stray.json").write_bytes(b"{}")
    told = "\n".join(faults(folder, generated()))
    assert f"{EXAMPLE} is not what the code says" in told
    assert f"{EVENT} is missing" in told
    assert "9.stray.json is made by no code" in told


def test_a_lock_that_was_edited_is_told(folder: Path) -> None:
    lock = Lock.of_folder(folder)
    (folder / "lock.json").write_text(Lock(drafts={**lock.drafts, EVENT: "0" * 64}).text())
    assert [fault for fault in faults(folder, generated()) if EVENT in fault]


def test_a_release_of_a_folder_out_of_order_is_refused(folder: Path) -> None:
    (folder / EXAMPLE).write_bytes(b"{}")
    with pytest.raises(ContractBroken):
        release(folder, generated())
    assert Lock.of_folder(folder).published == {}


def test_a_lock_that_forgets_or_changes_a_published_file_breaks_a_promise() -> None:
    then = Lock(published={"a": "1", "b": "2"}, drafts={"c": "3"})
    assert list(broken(then, Lock(published={"a": "1", "b": "2", "d": "4"}))) == []
    assert len(list(broken(then, Lock(published={"a": "1"})))) == 1
    assert len(list(broken(then, Lock(published={"a": "1", "b": "9"})))) == 1


def open_words(*words: str) -> dict[str, object]:
    return {"description": "Open.", "anyOf": [{"enum": list(words)}, {"type": "string"}]}


def test_a_published_open_enum_may_gain_words_and_lose_none(folder: Path) -> None:
    assert only_more_words({"a": [open_words("x")]}, {"a": [open_words("x", "y")]})
    assert not only_more_words(open_words("x", "y"), open_words("x"))
    assert not only_more_words(open_words("x"), {**open_words("x"), "description": "Closed."})
    assert not only_more_words({"enum": ["x"]}, {"enum": ["x", "y"]})
    assert not only_more_words({"a": 1}, {"a": 1, "b": 2})


def test_a_published_schema_stays_as_it_is_when_a_word_is_added(folder: Path) -> None:
    release(folder, generated())
    published = (folder / EVENT).read_bytes()
    schema = json.loads(published)
    schema["properties"]["mode"]["anyOf"][0]["enum"].append("drill")
    assert write(folder, {**generated(), EVENT: json.dumps(schema).encode()}) == []
    assert (folder / EVENT).read_bytes() == published
