"""`verify.py` finds whatever is done to history at any position, and names the first bad one.

`INTABAZA_EXAMPLES=1000` tries each kind at every position that was signed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tlog.offline.verify import (
    ALTERED,
    KEY_UNKNOWN,
    VERIFIED,
)
from tests.support.bundles import first_bad, judge
from tests.support.examples import examples
from tests.support.signed_logs import LogKey, leaf, signed_log, size_of
from tests.support.tamperings import TAMPERINGS, sign_again

OLD, NEW = LogKey("old"), LogKey("new")
LOG = signed_log(330, OLD)
ROTATED = signed_log(330, OLD, NEW, rotated_at=150)
REPLACED = next(size_of(note) for note in ROTATED.notes if note.count("\n— ") == 2)
"""The size of the checkpoint with which the new key began: both signed it."""

positions = st.integers(1, LOG.covered - 1)


def test_nothing_is_found_where_nothing_was_done(tmp_path: Path) -> None:
    assert judge(LOG, tmp_path, OLD)[0] == VERIFIED
    assert judge(ROTATED, tmp_path, OLD, NEW)[0] == VERIFIED


@pytest.mark.parametrize("name", TAMPERINGS)
@examples(4)
@given(position=positions)
def test_whatever_is_done_at_a_position_is_found_and_the_first_bad_one_is_named(
    name: str, position: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = LOG.copy()
    first = TAMPERINGS[name](log.wires, position)
    status, sentence = judge(log, tmp_path_factory.mktemp("tampered"), OLD)
    assert (status, first_bad(sentence)) == (ALTERED, first)


@pytest.mark.parametrize("name", TAMPERINGS)
@examples(2)
@given(position=positions)
def test_where_the_leaves_were_adapted_too_it_is_found_between_two_checkpoints(
    name: str, position: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = LOG.copy()
    first = TAMPERINGS[name](log.wires, position)
    log.leaves, log.chains = [leaf(wire) for wire in log.wires][: log.covered], {}
    status, sentence = judge(log, tmp_path_factory.mktemp("tampered"), OLD)
    assert status == ALTERED
    if between := re.search(r"between (\d+) and (\d+)", sentence):
        assert int(between[1]) <= first <= int(between[2])
    else:
        assert first_bad(sentence) >= first


@examples(4)
@given(position=st.integers(1, ROTATED.covered))
def test_history_that_was_signed_anew_with_a_replaced_key_is_found(
    position: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By its order where the new key has signed before; else by whoever knows the new key, or kept what it signed."""
    folder = tmp_path_factory.mktemp("signed anew")
    log = ROTATED.copy()
    log.notes = sign_again(log.wires, position, OLD)
    log.leaves, log.chains = [leaf(wire) for wire in log.wires][: log.covered], {}
    status, sentence = judge(log, folder, OLD, NEW)
    if position <= REPLACED:
        assert (status, "which is not the last of the keys given" in sentence) == (KEY_UNKNOWN, True), sentence
        assert judge(log, folder, OLD)[0] == VERIFIED, "this is what whoever knows the old key alone cannot tell"
        status, sentence = judge(log, folder, OLD, kept=[ROTATED.notes[0]])
        assert status == (ALTERED if position <= size_of(ROTATED.notes[0]) else VERIFIED), sentence
        status, sentence = judge(log, folder, OLD, NEW, kept=[ROTATED.notes[-1]])
        assert status in (ALTERED, KEY_UNKNOWN), sentence
    else:
        assert status == ALTERED
        behind = re.search(r"behind position (\d+): the checkpoint of size (\d+) is signed by a key", sentence)
        assert behind, sentence
        assert int(behind[1]) < position <= int(behind[2])
