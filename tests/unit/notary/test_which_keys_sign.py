"""Which keys sign the next checkpoint, and by which the log is verified, as keys are added and lost."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from services.notary.checkpoint import Checkpoint
from services.notary.keys import LogKey, LogKeys, LogKeysRefused
from services.settings import public_halves_of
from services.tlog.notes import Note

ORIGIN = "intabaza.invalid/keys"


def keys_of(*keys: LogKey) -> LogKeys:
    return LogKeys(Path("log-keys.json"), keys)


def signed(keys: LogKeys, before: str | None) -> str:
    return Checkpoint.sign(ORIGIN, 7, bytes(32), keys.signers(ORIGIN, before)).note


def who_signed(keys: LogKeys, note: str) -> list[int]:
    verifiers = keys.verifiers(ORIGIN)
    return sorted(verifiers.index(one) for one in Note.parse(note).signed_by(verifiers))


def test_a_new_key_takes_over_in_one_checkpoint_that_both_sign() -> None:
    one = keys_of(LogKey.new())
    first = signed(one, None)
    two = one.add()
    second = signed(two, first)
    third = signed(two, second)
    assert [who_signed(two, note) for note in (first, second, third)] == [[0], [0, 1], [1]]


def test_of_three_keys_the_one_that_signed_last_hands_over() -> None:
    keys = keys_of(LogKey.new())
    first = signed(keys, None)
    three = keys.add().add()
    assert who_signed(three, signed(three, first)) == [0, 2]


def test_who_is_retired_signs_nothing_and_goes_on_verifying() -> None:
    one = keys_of(LogKey.new())
    first = signed(one, None)
    two = one.add()
    retired = two.retire(two.verifiers(ORIGIN)[0])
    assert retired.verifiers(ORIGIN) == two.verifiers(ORIGIN)
    assert who_signed(retired, signed(retired, first)) == [1]
    with pytest.raises(LogKeysRefused, match="is the key that signs"):
        two.retire(two.verifiers(ORIGIN)[1])


def test_a_log_is_verified_by_the_keys_that_have_signed() -> None:
    one = keys_of(LogKey.new())
    first = signed(one, None)
    two = one.add()
    assert two.believed(ORIGIN, None) == two.verifiers(ORIGIN)
    assert two.believed(ORIGIN, first) == two.verifiers(ORIGIN)[:1]
    assert two.believed(ORIGIN, signed(two, first)) == two.verifiers(ORIGIN)


def test_after_a_checkpoint_of_nobody_known_nothing_is_signed_and_all_keys_verify() -> None:
    ours, other = keys_of(LogKey.new()), keys_of(LogKey.new())
    note = signed(other, None)
    with pytest.raises(LogKeysRefused, match="is signed by no key of"):
        ours.signers(ORIGIN, note)
    assert ours.believed(ORIGIN, note) == ours.verifiers(ORIGIN)
    known = ours.with_former(other.verifiers(ORIGIN))
    assert who_signed(known, signed(known, note)) == [1]


def test_the_public_halves_stand_beside_the_keys_and_no_private_one(tmp_path: Path) -> None:
    keys = LogKeys.find_or_make(tmp_path / "log-keys.json").add()
    keys.write()
    beside = public_halves_of(keys.file)
    assert LogKeys.read_public(beside).verifiers("a.invalid/log") == keys.verifiers("a.invalid/log")
    for one in keys.keys:
        assert one.private is not None
        assert b64encode(one.private) not in beside.read_bytes()
    beside.unlink()
    assert LogKeys.find_or_make(keys.file) == keys
    assert beside.exists(), "a stack that began before has them when its notary starts"


def test_before_a_notary_ran_there_are_no_keys_and_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(LogKeysRefused, match="the notary makes it when it first runs"):
        LogKeys.read(tmp_path / "log-keys.json")


def test_of_two_that_begin_at_once_neither_replaces_the_key_that_the_other_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one looks before the first one has written, and writes after it."""
    file = tmp_path / "log-keys.json"
    first = LogKeys.find_or_make(file)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert LogKeys.find_or_make(file) == first == LogKeys.read(file)
    assert {one.name for one in tmp_path.iterdir()} == {file.name, public_halves_of(file).name}


def test_a_log_that_was_given_another_name_is_told_to_keep_the_one_it_had() -> None:
    keys = keys_of(LogKey.new())
    with pytest.raises(LogKeysRefused, match=r"is called 'elsewhere' now.* set INTABAZA_LOG_ORIGIN to what it was"):
        keys.signers("elsewhere", signed(keys, None))
