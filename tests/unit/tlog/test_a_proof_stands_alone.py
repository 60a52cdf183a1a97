"""A proof is taken with nothing but the log's key; touched, cut, or of another log or event, it says what is wrong."""

from __future__ import annotations

from base64 import b64encode
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog import merkle
from services.tlog.offline.verify import (
    ALTERED,
    ANOTHER_LOG,
    KEY_UNKNOWN,
    USAGE,
    Checkpoint,
    Verdict,
    keys_said,
    read_checkpoints,
)
from services.tlog.proofs import check_continued, check_included, consistency_text, inclusion_text, read_proof
from services.tlog.tiles import found
from tests.support.examples import examples
from tests.support.foreign_reader import ForeignReader
from tests.support.signed_logs import LogKey, signed_root
from tests.support.trees import ENTRIES, LEAVES, grown

KEY, WITNESS = LogKey("one"), LogKey("witness", "witness.example", 4)
KEYS = keys_said([KEY.vkey])
TILES = grown([0, 600])


def a_note(size: int, *keys: LogKey, origin: str = KEY.name) -> str:
    return signed_root(LEAVES[:size], *(keys or (KEY,)), origin=origin)


def a_proof(index: int, size: int, *keys: LogKey) -> str:
    return inclusion_text(index, found(partial(merkle.inclusion, index, size), TILES), a_note(size, *keys))


def a_continuation(old: int, new: int) -> str:
    return consistency_text(old, found(partial(merkle.consistency, old, new), TILES), a_note(new))


def stated(note: str) -> Checkpoint:
    return read_checkpoints(note, "", USAGE)[0]


async def nowhere(path: str) -> bytes | None:
    raise AssertionError(path)


@given(data=st.data())
@examples(50)
def test_a_proof_is_taken_by_us_and_by_a_stranger(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    text = a_proof(index, size, KEY, WITNESS)
    said = check_included(read_proof(text, "it"), ENTRIES[index] + b"\n", KEYS)
    assert f"at position {index + 1} of {KEY.name}, in the checkpoint of size {size}" in said
    assert ForeignReader(nowhere, KEY.vkey).prove(text, ENTRIES[index]) == index
    check_included(read_proof(text, "it"), ENTRIES[index], [*KEYS, *keys_said([KEY.vkey, WITNESS.vkey])])
    proof = read_proof(a_continuation(old, size), "it")
    assert f"{size} positions" in check_continued(proof, stated(a_note(old)), KEYS)


@given(data=st.data())
@examples(150)
def test_a_proof_that_was_touched_or_cut_anywhere_is_not_taken(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    text = a_proof(index, size)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0Aa=+\n— ").filter(lambda letter: letter != text[at]))
    for wrong in (text[:at], text[:at] + text[at + 1 :], text[:at] + other + text[at + 1 :]):
        verdict = judged(wrong, ENTRIES[index])
        if verdict is None:
            # what it says is what it said: base64 has bits that nobody reads, and notes end in empty lines
            assert read_proof(wrong, "it") == read_proof(text, "it")
        else:
            assert verdict.status in (USAGE, ALTERED, KEY_UNKNOWN, ANOTHER_LOG)


def judged(proof: str, entry: bytes) -> Verdict | None:
    """Why a proof is not taken; None where it is."""
    try:
        check_included(read_proof(proof, "it"), entry, KEYS)
    except Verdict as verdict:
        return verdict
    return None


@given(old=st.integers(1, 599), data=st.data())
@examples(50)
def test_another_history_continues_nothing(old: int, data: st.DataObject) -> None:
    new = data.draw(st.integers(old, 600))
    forked = data.draw(st.integers(0, old - 1))
    leaves = [*LEAVES[:old]]
    leaves[forked] = merkle.hash_leaf(b"another entry")
    with pytest.raises(Verdict, match=f"History was altered before position {old + 1}") as verdict:
        check_continued(read_proof(a_continuation(old, new), "it"), stated(signed_root(leaves, KEY)), KEYS)
    assert verdict.value.status == ALTERED


def test_each_thing_that_is_wrong_has_its_sentence_and_status() -> None:
    text = a_proof(3, 10)

    def refused(status: int, said: str, proof: str, entry: bytes = ENTRIES[3], *, key: LogKey = KEY) -> None:
        with pytest.raises(Verdict, match=said) as verdict:
            check_included(read_proof(proof, "a.tlog-proof"), entry, keys_said([key.vkey]))
        assert verdict.value.status == status

    refused(ALTERED, "This event is not at position 4", text, ENTRIES[4])
    refused(ALTERED, "This event is not at position 5", text.replace("index 3", "index 4"))
    refused(ALTERED, "its signature does not fit", text.replace("\n10\n", "\n11\n"))
    refused(KEY_UNKNOWN, "by no key that is known here", text, key=LogKey("two"))
    refused(
        ANOTHER_LOG,
        "is of 'intabaza.invalid/test', and the keys given are of another",
        text,
        key=LogKey("x", "another"),
    )
    refused(USAGE, "a.tlog-proof is no whole proof", "")
    refused(USAGE, "is no proof: it has more than 1,000,000", "a\n" * 600_000)
    refused(USAGE, "was it cut", text[: text.index("\n\n")])
    refused(USAGE, "no signed checkpoint", text[: text.index("—") - 1])
    refused(USAGE, "no hash in base64", text.replace("index 3\n", "index 3\nAAAA\n"))
    refused(
        USAGE, "no hash in base64, or there are too many", text.replace("index 3\n", "index 3\n" + 64 * hash_line())
    )
    refused(USAGE, "position 11, and its checkpoint covers 10", text.replace("index 3\n", "index 10\n"))
    refused(USAGE, "holds 2 checkpoints", text + "\n" + a_note(10))
    older = stated(a_note(4))
    for status, said, proof, before in (
        (USAGE, "begins at size 5, and the older checkpoint is of 4", a_continuation(5, 10), older),
        (
            ANOTHER_LOG,
            "is of 'another'",
            a_continuation(4, 10),
            stated(a_note(4, LogKey("x", "another"), origin="another")),
        ),
    ):
        with pytest.raises(Verdict, match=said) as verdict:
            check_continued(read_proof(proof, "it"), before, KEYS)
        assert verdict.value.status == status


def hash_line() -> str:
    return b64encode(bytes(32)).decode() + "\n"
