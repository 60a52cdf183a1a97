"""Which master keys are refused, with a sentence, and what follows from a good one."""

from __future__ import annotations

import copy
import pickle
from base64 import urlsafe_b64encode
from pathlib import Path
from secrets import token_bytes
from uuid import UUID, uuid4

import pytest

from events.sealed import KeyKind
from services.vault.commands import CommandIds
from services.vault.master import MasterKey
from services.vault.refused import MasterKeyRefused

COUNTED = MasterKey(bytes(range(32)))
"""A key that `parse` refuses as made up: only tests build one from bytes."""

KEY_ID = UUID("00000000-0000-4000-8000-000000000001")
SUBJECT = "00000000-0000-4000-8000-0000000000aa"


def text_of(secret: bytes) -> str:
    return urlsafe_b64encode(secret).decode().rstrip("=")


def a_key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "master.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_random_key_is_read_from_a_file_with_or_without_padding(tmp_path: Path) -> None:
    secret = token_bytes(31) + b"\xff"
    for text in (text_of(secret), text_of(secret) + "=", text_of(secret) + "\n"):
        key = MasterKey.read(a_key_file(tmp_path, text))
        assert key.phone_mac("+25779000000") == MasterKey(secret).phone_mac("+25779000000")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o666])
def test_a_file_that_everybody_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(MasterKeyRefused, match="chmod 600"):
        MasterKey.read(a_key_file(tmp_path, text_of(token_bytes(31) + b"\xff"), mode))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyRefused, match="there is no master key at"):
        MasterKey.read(tmp_path / "none")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(MasterKeyRefused, match="is no file"):
        MasterKey.read(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("geheim!", "not base64url"),
        ("ü" * 43, "not base64url"),
        (text_of(bytes.fromhex("0bf83c5d9e7a6142d3c4b5a697881902")), "has 16 bytes"),
        (text_of(bytes.fromhex("0bf83c5d9e7a6142d3c4b5a697881902") * 4), "has 64 bytes"),
        (text_of(bytes(32)), "default"),
        (text_of(bytes(range(32))), "default"),
        (text_of(bytes(range(255, 223, -1))), "default"),
        (text_of(b"\xde\xad\xbe\xef" * 8), "default"),
        (text_of(b"change-me-before-you-go-live-now"), "default"),
        (text_of(b"0123456789abcdefghijklmnopqrstuv"), "default"),
    ],
)
def test_a_key_that_is_malformed_short_or_made_up_is_refused(text: str, why: str) -> None:
    with pytest.raises(MasterKeyRefused, match=why) as refused:
        MasterKey.parse(text)
    if text.strip():
        assert text.strip() not in str(refused.value)


def test_nothing_shows_or_copies_a_master_key() -> None:
    assert repr(COUNTED) == "MasterKey(version=1)"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            copied(COUNTED)


def test_a_wrapped_key_opens_only_in_its_own_row() -> None:
    secret = token_bytes(32)
    wrapped = COUNTED.wrap(KEY_ID, KeyKind.REPORT, SUBJECT, secret)
    assert secret not in wrapped
    assert COUNTED.unwrap(KEY_ID, KeyKind.REPORT, SUBJECT, wrapped, 1) == secret
    for key_id, kind, subject, version in (
        (uuid4(), KeyKind.REPORT, SUBJECT, 1),
        (KEY_ID, KeyKind.CASE, SUBJECT, 1),
        (KEY_ID, KeyKind.REPORT, str(uuid4()), 1),
        (KEY_ID, KeyKind.REPORT, SUBJECT, 2),
    ):
        with pytest.raises(MasterKeyRefused, match="another master key"):
            COUNTED.unwrap(key_id, kind, subject, wrapped, version)
    with pytest.raises(MasterKeyRefused, match="another master key"):
        MasterKey(token_bytes(32)).unwrap(KEY_ID, KeyKind.REPORT, SUBJECT, wrapped, 1)


def test_a_key_wrapped_by_the_first_version_still_unwraps() -> None:
    """Computed apart from this code: HKDF by hand, AES-GCM by another library."""
    wrapped = bytes.fromhex(
        "0000000000000000000000001c3f664eb40ecedd02f981ddee21bbbf2d6a3c2647543d6654545a6685297d2b656fbd8123de61506de93c8b"
        "8ac97d13"
    )
    assert COUNTED.unwrap(KEY_ID, KeyKind.REPORT, SUBJECT, wrapped, 1) == bytes(range(32, 64))


def test_phones_and_commands_have_their_known_answers() -> None:
    """Computed apart from this code, by HKDF and HMAC of the standard library."""
    commands = CommandIds(COUNTED)
    assert COUNTED.phone_mac("+25779000000").hex() == "48f90b94d8d4e4831cbbfbe1df1e5b42063150f963bf976391bc597a0dfd05b5"
    assert commands.command_id(UUID("00000000-0000-4000-8000-0000000000bb"), "form-7") == UUID(
        "7abce195-cded-8a4d-9860-7972b062021d"
    )
    assert commands.command_mac(b'{"a":1}').hex() == "a796dd89e4c1379b03b5a511f1c50de361de35aa637cd64ae9de5d08b7a006b1"


def test_one_client_id_of_two_senders_makes_two_commands() -> None:
    commands = CommandIds(COUNTED)
    anna, ben = uuid4(), uuid4()
    assert commands.command_id(anna, "1") == commands.command_id(anna, "1")
    assert len({commands.command_id(anna, "1"), commands.command_id(ben, "1"), commands.command_id(anna, "2")}) == 3


def test_a_command_with_another_body_has_another_mac() -> None:
    commands = CommandIds(COUNTED)
    assert commands.command_mac(b'{"text":"a"}') != commands.command_mac(b'{"text":"b"}')
    assert commands.command_mac(b"{}") != CommandIds(MasterKey(token_bytes(32))).command_mac(b"{}")
