"""Whatever somebody makes of a bundle, `verify.py` ends with one sentence and a status, and in little memory."""

from __future__ import annotations

import json
import os
import re
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog.offline import verify as verifier
from services.tlog.offline.verify import ALTERED, ANOTHER_LOG, EDITED, KEY_UNKNOWN, UNREAD, USAGE, VERIFIED
from tests.support.examples import examples
from tests.support.hostile import Files, bundle_of, manifest_of, pack_of, said_of, summed
from tests.support.signed_logs import ORIGIN, LogKey, SignedLog, note, signed_log, size_of, write_zip
from tests.support.spoiling import DEEP, Members, lines_of, spoilt, write
from tests.support.tamperings import change

OLD = LogKey("old")
LOG = signed_log(330, OLD)
BUNDLE, PACK = bundle_of(LOG), pack_of(LOG)
CASE = json.loads(PACK["manifest.json"])["case"]
EVENTS = "events/000001.jsonl"
ESCAPE = "\x1b]0;owned\x07\x1b[2J"

Spoils = Callable[[Files], Files]


def ends(path: Path, *arguments: object, status: int, what: str = "") -> str:
    """The one sentence that a bundle ends with."""
    found, said = said_of(path, *arguments)
    assert (found, said.count("\n")) == (status, 1), said
    assert what in said
    assert len(said) < 3_000
    return said


def judged(tmp_path: Path, files: Files) -> Path:
    return write_zip(tmp_path / "bundle.zip", files)


def manifest(**stated: Any) -> Spoils:
    """Another value for what the manifest states."""
    return lambda files: files | {"manifest.json": json.dumps(json.loads(files["manifest.json"]) | stated).encode()}


def young(log: SignedLog, key: LogKey) -> SignedLog:
    """The first events of a log, signed anew."""
    return SignedLog(log.wires[:10], [note(log.wires, 10, key, origin=key.name)], (key,))


def says(raw: str) -> Spoils:
    """A manifest of exactly this text."""
    return lambda files: files | {"manifest.json": raw.encode(errors="surrogatepass")}


def replaced(old: str, new: str) -> Spoils:
    return lambda files: files | {"manifest.json": files["manifest.json"].replace(old.encode(), new.encode(), 1)}


def file(name: str, content: bytes) -> Spoils:
    """A file of this content, with a sum that fits."""
    return lambda files: summed(files | {name: content})


def line(position: int, old: str, new: str) -> Spoils:
    """One event with other bytes, with a sum that fits."""

    def spoil(files: Files) -> Files:
        lines = files[EVENTS].split(b"\n")
        before = lines[position - 1]
        lines[position - 1] = before.replace(old.encode(), new.encode(errors="surrogatepass"), 1)
        assert lines[position - 1] != before
        return summed(files | {EVENTS: b"\n".join(lines)})

    return spoil


def test_what_is_spoilt_here_was_good(tmp_path: Path) -> None:
    ends(judged(tmp_path, BUNDLE), "--key", OLD.vkey, status=VERIFIED)
    ends(judged(tmp_path, PACK), "--key", OLD.vkey, status=VERIFIED)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (says(DEEP), "manifest.json"),
        (says('{"origin":"x","size":' + DEEP + ',"files":{}}'), "manifest.json"),
        (replaced('"size": 3', '"size": 1e400, "was": 3'), "manifest.json"),
        (replaced('"size": 3', '"size": NaN, "was": 3'), "manifest.json"),
        (replaced('"size": 3', '"size": -Infinity, "was": 3'), "manifest.json"),
        (replaced('"size": 3', '"size": ' + "9" * 5_000 + ', "was": 3'), "manifest.json"),
        (replaced('"size": 3', '"size": 7, "size": 3'), "manifest.json"),
        (replaced('"keys.txt"', '"keys.txt": "", "keys.txt"'), "manifest.json"),
        (manifest(size="333"), "manifest.json"),
        (manifest(size=333.5), "manifest.json"),
        (manifest(size=True), "manifest.json"),
        (manifest(size=-1), "manifest.json"),
        (manifest(size=None), "manifest.json"),
        (manifest(origin=None), "manifest.json"),
        (manifest(origin=["x"]), "manifest.json"),
        (manifest(files=[]), "manifest.json"),
        (manifest(files=[["keys.txt", ""]]), "manifest.json"),
        (manifest(files="keys.txt"), "manifest.json"),
        (manifest(files={"keys.txt": 1}), "manifest.json"),
        (manifest(kind="evidence"), "manifest.json"),
        (manifest(kind="evidence", case="", positions=[]), "manifest.json"),
        (manifest(kind="evidence", case="x", positions=[1e400]), "manifest.json"),
        (manifest(kind="evidence", case="x", positions=["1"]), "manifest.json"),
        (says("[]"), "manifest.json"),
        (says('"manifest"'), "manifest.json"),
        (says("null"), "manifest.json"),
        (says(""), "manifest.json"),
        (says('{"origin":"\ud800"}'), "manifest.json"),
        (manifest(size=10**3000), "is missing"),
        (file("../events/1", b""), "no name"),
        (file("events/../../x", b""), "no name"),
        (file("/etc/passwd", b""), "no name"),
        (file("events\\x", b""), "no name"),
        (file("C:x", b""), "no name"),
        (file(f"events/{ESCAPE}", b""), "no name"),
        (file("\ud800".encode("ascii", "backslashreplace").decode(), b""), "no name"),
        (lambda files: files | {f"{ESCAPE}.txt": b""}, "no name"),
        (file("keys.txt", b"\xff" * 30), "keys.txt"),
        (file("keys.txt", ESCAPE.encode()), "keys.txt"),
        (file("keys.txt", f"{ESCAPE}+00000000+AAAA".encode()), "keys.txt"),
        (file("checkpoints.txt", ESCAPE.encode()), "no signed checkpoint"),
        (file("checkpoints.txt", b"a\n" * 3_000_000), "no signed checkpoint"),
        (file("chains/events.v1/x", b""), "belongs to no partition"),
        (file(f"chains/{'x' * 50}/0/1", b""), "belongs to no partition"),
        (file("chains/events.v1/0/000002.txt", b"9" * 5_000), "no offset, position"),
        (file("chains/events.v1/0/000002.txt", b"1 2 3 4"), "no offset, position"),
        (file("chains/events.v1/0/000002.txt", b"1 1_0 3"), "no offset, position"),
    ],
)
def test_what_is_stated_or_named_as_no_bundle_does_was_edited(tmp_path: Path, spoil: Spoils, what: str) -> None:
    ends(judged(tmp_path, spoil({**BUNDLE})), status=EDITED, what=what)


@pytest.mark.parametrize(
    "spoil",
    [
        line(7, '"data":', '"deep":' + DEEP + ',"data":'),
        line(7, '"streamversion":', '"streamversion":1e400,"was":'),
        line(7, '"streamversion":', '"streamversion":NaN,"was":'),
        line(7, '"streamversion":', '"streamversion":' + "9" * 5_000 + ',"was":'),
        line(7, '"streamversion":', '"streamversion":' + "9" * 4_000 + ',"was":'),
        line(7, '"streamversion":', '"streamversion":"\\u001b[2J","was":'),
        line(7, '"streamversion":', '"streamversion":{},"was":'),
        line(7, '"subject":"', '"subject":"\\ud800'),
        line(7, '"subject":"', '"subject":"\ud800'),
        line(7, '"subject":"', '"subject":"\x1b[2J'),
        line(7, '"subject":"', '"subject":"' + "x" * 1_000_000),
        line(7, '"subject":"', '"subject":["x"],"was":"'),
        line(7, '"subject":"', '"subject":null,"was":"'),
        line(7, '"data":{', '"data":[],"was":{'),
        line(7, '"type":"', '"type":"custody.log_checkpointed","data":{"note":"\\ud800\\u001b[2J"},"was":"'),
        line(7, '"type":"', '"type":"custody.log_checkpointed","was":"'),
        line(7, '"type":"', '"type":{},"was":"'),
        line(7, "{", ESCAPE),
        file(EVENTS, b"\n" * 60_000_000),
        file(EVENTS, b"x" * 60_000_000),
        file(EVENTS, b"\xff" * 100),
    ],
)
def test_an_event_of_any_kind_of_json_was_altered(tmp_path: Path, spoil: Spoils) -> None:
    ends(judged(tmp_path, spoil({**BUNDLE})), status=ALTERED, what="History was altered")


@pytest.mark.parametrize(
    ("value", "status"),
    [("\\ud800", ALTERED), (ESCAPE.encode("unicode_escape").decode().replace("\\x", "\\u00"), ALTERED)],
)
def test_a_checkpoint_on_the_log_may_hold_anything(tmp_path: Path, value: str, status: int) -> None:
    log = LOG.copy()
    at = next(number for number, wire in enumerate(log.wires) if b"log_checkpointed" in wire)
    log.wires[at] = log.wires[at].replace(b'"note":"', f'"note":"{value}'.encode())
    ends(judged(tmp_path, bundle_of(log)), status=status)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda files: summed(files | {"proofs/000001.txt": b"c2sp.org/tlog-proof@v1\nindex " + b"9" * 9_000}),
        lambda files: summed(
            files | {"proofs/000001.txt": files["proofs/000001.txt"].replace(b"index ", b"index " + b"9" * 9_000)}
        ),
        lambda files: summed(
            files | {"proofs/000001.txt": files["proofs/000001.txt"].replace(b"index ", "index ٣".encode())}
        ),
        lambda files: summed(files | {EVENTS: DEEP.encode()}),
        lambda files: summed(files | {EVENTS: b"\x1b[2J" * 10}),
        lambda files: summed(files | {EVENTS: b"\n" * 60_000_000}),
        line(1, '"streamversion":', '"streamversion":1e400,"w":'),
        line(1, '"subject":"', '"subject":"\\u001b[2J'),
        line(1, '"subject":"', '"subject":[],"w":"'),
        manifest(case=ESCAPE, positions=[10**3_000]),
        manifest(positions=[True]),
    ],
)  # fmt: skip
def test_nothing_in_a_pack_ends_it_without_a_sentence(tmp_path: Path, spoil: Spoils) -> None:
    status, said = said_of(judged(tmp_path, spoil({**PACK})))
    assert (status in (ALTERED, EDITED), said.count("\n")) == (True, 1), said
    assert len(said) < 3_000


def test_what_is_named_in_a_verdict_is_no_order_to_a_terminal(tmp_path: Path) -> None:
    """Origins, cases and events are shown as they are but for what a terminal obeys, or shows in another order."""
    name = f"intabaza.invalid/{ESCAPE}\u202e"
    key = LogKey("old", name)
    log = young(LOG, key)
    files = log.files()
    path = judged(tmp_path, files | {"manifest.json": manifest_of(files, origin=name, size=10)})
    ends(path, status=VERIFIED, what="\\u001b]0;owned\\u0007\\u001b[2J\\u202e")
    ends(path, "--key", OLD.vkey, status=KEY_UNKNOWN)
    other = tmp_path / "kept.txt"
    other.write_text(note(LOG.wires, 100, OLD))
    ends(path, "--kept", other, status=ANOTHER_LOG)
    ends(judged(tmp_path, manifest(case=ESCAPE)({**PACK})), status=EDITED, what="no event of case \\u001b]")


def test_an_event_is_shown_byte_for_byte_but_for_what_a_terminal_obeys(tmp_path: Path) -> None:
    log = LOG.copy()
    change(log.wires, 7, said="\u009b2J\u202e\x7f \U000e0041", kept="ä\u4e2d")
    log = young(log, OLD)
    status, said = said_of(judged(tmp_path, bundle_of(log)), "--position", 7)
    assert status == VERIFIED
    shown = said.splitlines()[1]
    assert json.loads(shown) == json.loads(log.wires[6])
    assert "ä\u4e2d" in shown


def test_an_output_that_knows_few_letters_is_told_all_the_same(tmp_path: Path) -> None:
    path = judged(tmp_path, {**PACK} | {EVENTS: b"\xe4\xb8\xad"})
    ended = subprocess.run(
        [sys.executable, verifier.__file__, path], capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (ended.returncode, b"Traceback" in ended.stderr) == (EDITED, False), ended.stderr


# --- files and folders -----------------------------------------------------------------------------------------------


def unpacked(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_folder_that_leads_elsewhere_is_none(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bundle", BUNDLE)
    (tmp_path / "elsewhere").write_bytes(BUNDLE["keys.txt"])
    (folder / "keys.txt").unlink()
    (folder / "keys.txt").symlink_to(tmp_path / "elsewhere")
    ends(folder, status=EDITED, what="keys.txt")
    (folder / "keys.txt").unlink()
    os.mkfifo(folder / "keys.txt")
    ends(folder, status=EDITED, what="keys.txt")
    (folder / "keys.txt").unlink()
    (folder / "keys.txt").mkdir()
    ends(folder, status=EDITED, what="keys.txt")


def test_a_folder_with_any_names_is_told(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bundle", BUNDLE)
    odd = os.fsencode(folder) + b"/\xff\x1b[2J"
    os.close(os.open(odd, os.O_CREAT))
    ends(folder, status=EDITED, what="no name")
    Path(os.fsdecode(odd)).unlink()
    os.close(os.open(folder / "surplus", os.O_CREAT))
    ends(folder, status=EDITED, what="surplus is more than the manifest names")


def test_a_folder_deeper_than_any_is_told(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bundle", BUNDLE)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("f", os.O_CREAT, dir_fd=here))
    os.close(here)
    status, said = said_of(folder)
    assert (status in (EDITED, UNREAD), said.count("\n")) == (True, 1)
    subprocess.run(["rm", "-rf", folder], check=True)  # which pytest's own removal is not deep enough for


def test_what_is_neither_file_nor_folder_is_no_bundle(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    ends(tmp_path / "pipe", status=USAGE, what="no file and no folder")
    ends(Path("/dev/zero"), status=USAGE, what="no file and no folder")
    ends(tmp_path / "\x1b[2J", status=USAGE, what="There is no")
    ends(tmp_path / ("x" * 300), status=UNREAD, what="File name too long")
    (tmp_path / "empty").touch()
    ends(tmp_path / "empty", status=EDITED)
    (tmp_path / "folder").mkdir()
    ends(tmp_path / "folder", status=EDITED, what="no manifest")


def test_what_is_kept_or_given_as_a_key_may_be_anything(tmp_path: Path) -> None:
    bundle = judged(tmp_path, BUNDLE)
    hostile = tmp_path / "hostile"
    for content in (b"", b"\n", ESCAPE.encode(), b"a\n" * 100_000, b"\xff", DEEP.encode(), BUNDLE[EVENTS]):
        hostile.write_bytes(content)
        for option in ("--kept", "--key"):
            ends(bundle, option, hostile, status=USAGE if content or option == "--key" else VERIFIED)
    for option in ("--kept", "--key"):
        ends(bundle, option, "/dev/zero", status=USAGE, what="/dev/zero")
        ends(bundle, option, tmp_path, status=USAGE, what="is no file")
        ends(bundle, option, tmp_path / ESCAPE.replace("/", ""), status=USAGE, what="cannot be read")
        ends(bundle, option, "\udcff", status=USAGE, what="cannot be read")


# --- zips ------------------------------------------------------------------------------------------------------------


def rewritten(path: Path, old: bytes, new: bytes, times: int = -1) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, times))
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_that_no_bundle_is_were_edited(tmp_path: Path) -> None:
    path = judged(tmp_path, BUNDLE)
    # a name in the directory that says that it is UTF-8, and is not
    content = bytearray(path.read_bytes())
    at = content.rindex(b"keys.txt")
    content[at] = 0xFF
    content[at - 46 + 9] |= 0x08
    path.write_bytes(content)
    ends(path, status=EDITED)
    for way in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", way) as packed:
            for name, one in BUNDLE.items():
                packed.writestr(name, one)
        ends(path, status=EDITED, what="is packed as no bundle is")
    with zipfile.ZipFile(path, "w") as packed:
        for name, one in [*BUNDLE.items(), ("keys.txt", b"")]:
            packed.writestr(name, one)
    ends(path, status=EDITED, what="keys.txt is more than the manifest names")
    # encrypted, as far as the directory says
    path = judged(tmp_path, BUNDLE)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"keys.txt") - 46
    content[at + 8] |= 1
    path.write_bytes(content)
    ends(path, status=EDITED)


@examples(30)
@given(data=st.data())
def test_no_directory_of_a_zip_is_too_strange(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytes of the directory at the end, which a single turned bit seldom strikes."""
    path = judged(tmp_path_factory.mktemp("zip"), BUNDLE)
    content = bytearray(path.read_bytes())
    begins = struct.unpack("<I", content[-6:-2])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(begins, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    assert said_of(path)[1].count("\n") == 1


# --- memory ----------------------------------------------------------------------------------------------------------

MEGABYTES = 700
"""Of addresses, for an interpreter, cryptography, and a file of a bundle a few times."""


def in_little_memory(path: Path) -> tuple[int, str]:
    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))

    ended = subprocess.run(
        [sys.executable, "-I", verifier.__file__, path], capture_output=True, text=True, check=False, preexec_fn=little
    )
    assert "Traceback" not in ended.stderr, ended.stderr[-2_000:]
    return ended.returncode, ended.stdout


def bomb(path: Path, name: str, size: int, stated: int) -> Path:
    """A zip in which one file unpacks to more than is stated of it."""
    pressed = zlib.compressobj(9, zlib.DEFLATED, -15)
    megabyte = pressed.compress(bytes(1 << 20)) + pressed.flush(zlib.Z_FULL_FLUSH)
    packed = megabyte * (size >> 20) + pressed.flush()
    write_zip(path, {name: packed} | {one: content for one, content in BUNDLE.items() if one != name})
    written = bytearray(path.read_bytes())
    for at, fields in ((written.index(name.encode()) - 30, 8), (written.rindex(name.encode()) - 46, 10)):
        written[at + fields : at + fields + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        written[at + fields + 14 : at + fields + 18] = struct.pack("<I", stated)
    path.write_bytes(written)
    return path


@pytest.mark.parametrize(("name", "stated"), [("keys.txt", 100), ("manifest.json", 100)])
def test_a_file_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path, name: str, stated: int) -> None:
    status, said = in_little_memory(bomb(tmp_path / "bomb.zip", name, 2 << 30, stated))
    assert (status, name in said) == (EDITED, True), said


def test_a_file_that_says_that_it_unpacks_to_gigabytes_is_believed(tmp_path: Path) -> None:
    status, said = in_little_memory(bomb(tmp_path / "bomb.zip", "keys.txt", 2 << 30, 3 << 30))
    assert (status, "it unpacks to more than 100 times its size" in said) == (EDITED, True), said


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("manifest.json", b"[" + b"[]," * 20_000_000 + b"[]]", EDITED),
        ("manifest.json", b'{"files":{' + b",".join(b'"%d":""' % one for one in range(3_000_000)) + b"}}", EDITED),
        ("keys.txt", b"\n" * 60_000_000, EDITED),
        ("checkpoints.txt", b"a\n" * 30_000_000, EDITED),
        (EVENTS, b"\n" * 60_000_000, ALTERED),
        (EVENTS, b"[" + b"{}," * 20_000_000 + b"{}]", ALTERED),
        (EVENTS, BUNDLE[EVENTS].split(b"\n")[0].replace(b'"data":', b'"x":[' + b"{}," * 3_000_000 + b'{}],"data":'),
         ALTERED),
        ("chains/events.v1/9/000001.txt", b"1 1 0\n" * 10_000_000, ALTERED),
    ],
)  # fmt: skip
def test_a_large_file_takes_no_more_memory_than_a_file_may(
    tmp_path: Path, name: str, content: bytes, status: int
) -> None:
    files = {**BUNDLE} | {name: content}
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for one, written in (files if name == "manifest.json" else summed(files)).items():
            packed.writestr(one, written)
    found, said = in_little_memory(path)
    assert (found, said.count("\n")) == (status, 1), said


# --- anything --------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Duplicate name")
@examples(60)
@given(members=spoilt(lambda: {**BUNDLE}), key=st.booleans())
def test_a_bundle_that_is_verified_says_what_was_signed_whatever_was_done_to_it(
    members: Members, key: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("spoilt") / "bundle.zip", members)
    status, said = said_of(path, *(["--key", OLD.vkey] if key else []))
    assert said.count("\n") == 1
    if status == VERIFIED:
        found = re.match(f"Verified: positions 1 to (\\d+) of {re.escape(ORIGIN)} are what was signed", said)
        assert found, said
        proven = int(found[1])
        assert proven in {size_of(one) for one in LOG.notes}
        assert lines_of(members)[:proven] == LOG.wires[:proven]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@examples(60)
@given(members=spoilt(lambda: {**PACK}), key=st.booleans())
def test_a_pack_that_is_verified_holds_what_was_signed_whatever_was_done_to_it(
    members: Members, key: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("spoilt") / "pack.zip", members)
    status, said = said_of(path, *(["--key", OLD.vkey] if key else []))
    assert said.count("\n") == 1
    if status == VERIFIED:
        whole = PACK[EVENTS].splitlines()
        proven = int(said.removeprefix("Verified: ").partition(" ")[0])
        held = lines_of(members)
        assert held[:proven] == whole[:proven]
        assert f"events of case {CASE} " in said
