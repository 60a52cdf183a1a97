"""The file of witnesses: what is read of it, and what is said of each line that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.notary.witnesses import Named, WitnessesRefused, read_witnesses
from tests.support.signed_logs import LogKey

W1, W2 = LogKey("w1", "witness.example/w1", 4), LogKey("w2", "witness.example/w2", 4)


def read(folder: Path, text: str) -> list[tuple[str, str]]:
    file = folder / "witnesses.txt"
    file.write_text(text, "utf-8")
    return [(one.asked_at, str(one.key)) for one in read_witnesses(file)]


def test_each_line_is_a_witness_and_what_is_for_people_is_passed_over(tmp_path: Path) -> None:
    text = f"# ours\n\nhttps://one.example {W1.vkey}  # since June\r\n\thttp://10.0.0.4:8461/a/ {W2.vkey}\n"
    assert read(tmp_path, text) == [
        ("https://one.example/add-checkpoint", W1.vkey),
        ("http://10.0.0.4:8461/a/add-checkpoint", W2.vkey),
    ]
    assert read(tmp_path, "") == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("https://one.example", "expected an address and a key with a space between"),
        (f"{W1.vkey} https://one.example", "the address is none that can be asked: expected https or http"),
        (f"ftp://one.example {W1.vkey}", "expected https or http"),
        (f"https:///path {W1.vkey}", "the address"),
        (f"https://me:secret@one.example {W1.vkey}", "holds a name or a password"),
        (f"https://one.example/?a=b {W1.vkey}", "ends in ? or #"),
        (f"https://one.example/#a {W1.vkey}", "ends in ? or #"),
        (f"https://one.example:port/ {W1.vkey}", "the address cannot be read"),
        (f"https://one.example/\0 {W1.vkey}", "the address holds what cannot be seen"),
        (f"https://one.example {LogKey('w', 301 * 'w', 4).vkey}", "the name in this key is too long"),
        (f"https://one.example {LogKey('w', 290 * '🕊', 4).vkey}", "the name in this key is too long"),
        (f"https://one.example {LogKey('w', chr(1), 4).vkey}", "or holds what cannot be seen"),
        (f"https://one.example/{1_990 * 'a'} {W1.vkey}", "at most 2000 bytes"),
        ("https://one.example nonsense", "this is no Ed25519 key"),
        (f"https://one.example {W1.vkey[:-4]}", "this is no Ed25519 key"),
        (f"https://one.example {W1.vkey.replace('+', '+0', 1)}", "this is no Ed25519 key"),
        (f"https://one.example {LogKey('log').vkey}", "is one that signs a log"),
        (f"https://two.example {W2.vkey}", "stands in line 2 already"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_what_was_expected(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(WitnessesRefused) as refused:
        read(tmp_path, f"# witnesses\nhttps://two.example {W2.vkey}\n\n{line}\n")
    assert f"{tmp_path / 'witnesses.txt'}, line 4: " in str(refused.value)
    assert said in str(refused.value)


def test_a_file_that_cannot_be_read_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(WitnessesRefused, match="which INTABAZA_NOTARY_WITNESSES_FILE names, cannot be read"):
        read_witnesses(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xff")
    with pytest.raises(WitnessesRefused, match="is no text in UTF-8"):
        read_witnesses(tmp_path / "bytes.txt")


def test_there_are_not_more_than_a_notary_can_ask(tmp_path: Path) -> None:
    many = "".join(f"https://w{n}.example {LogKey(str(n), f'w{n}.example', 4).vkey}\n" for n in range(33))
    with pytest.raises(WitnessesRefused, match="names 33 witnesses: at most 32"):
        read(tmp_path, many)


def test_a_file_that_is_empty_while_it_is_written_makes_nobody_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "witnesses.txt"
    file.write_text(f"https://one.example {W1.vkey}\n")
    named = Named.read(file)
    before = named.now
    file.write_text("")
    with pytest.raises(WitnessesRefused, match="is empty, as it is while somebody writes it"):
        named.look()
    assert named.now == before
    file.write_text("# nobody any more\n")
    assert named.look()
    assert named.now == ()
    file.write_text("")
    assert not named.look(), "of whom nobody is left, nobody can be forgotten"
