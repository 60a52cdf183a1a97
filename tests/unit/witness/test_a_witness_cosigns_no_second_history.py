"""Whatever is sent, in whatever order, and however often it ends: no two things that a witness cosigned contradict."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from services.witness.folder import Folder
from services.witness.refused import Refused
from services.witness.witness import Witness
from tests.support import reference_merkle as reference
from tests.support.examples import examples
from tests.support.witnessing import NOON, TrialLog, entries, is_cosigned, new_folder

HISTORIES = (
    TrialLog(entries(16)),
    TrialLog(entries(7) + entries(9, "another end")),
    TrialLog(entries(4) + entries(1, "one changed") + entries(16)[5:]),
    TrialLog(entries(16, "from the beginning")),
)
"""Under one key: a log that shows each of them to somebody else."""


class Sent(NamedTuple):
    """A request: from which size, `None` for the one that the witness has; and by the proof of which history."""

    history: int
    size: int
    old: int | None
    proof_of: int


sending = st.builds(
    Sent,
    st.integers(0, len(HISTORIES) - 1),
    st.integers(0, 16),
    st.none() | st.integers(0, 16),
    st.integers(0, len(HISTORIES) - 1),
)


def body_of(sent: Sent, last: int) -> bytes:
    old = last if sent.old is None else sent.old
    shown = HISTORIES[sent.proof_of].entries[: sent.size]
    proof = reference.proof(old, shown) if 0 < old < sent.size else []
    return HISTORIES[sent.history].request(old, sent.size, proof)


def contradict(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the shorter history is no beginning of the longer one."""
    (history, size), (longer, larger) = sorted((one, other), key=lambda each: each[1])
    return HISTORIES[history].entries[:size] != HISTORIES[longer].entries[:size] or larger < size


def last_size(folder: Folder) -> int:
    return max((one.head.size for one in folder.state().logs.values()), default=0)


@given(sents=st.lists(sending, max_size=25), restarts=st.sets(st.integers(0, 24)))
@examples(40)
def test_of_any_requests_those_that_are_cosigned_are_one_history(sents: list[Sent], restarts: set[int]) -> None:
    with tempfile.TemporaryDirectory(dir=shared_memory()) as at:
        folder = new_folder(Path(at) / "w")
        cosigned: list[tuple[int, int]] = []
        turns = iter(enumerate(sents))
        upcoming = next(turns, None)
        while upcoming is not None:
            with Witness.opened(folder) as witness:
                while upcoming is not None:
                    number, sent = upcoming
                    upcoming = next(turns, None)
                    try:
                        line = witness.add(body_of(sent, last_size(folder)), NOON)
                    except Refused:
                        pass
                    else:
                        text = HISTORIES[sent.history].note(sent.size).split("\n\n")[0] + "\n"
                        assert is_cosigned(folder, text, line)
                        cosigned.append((sent.history, sent.size))
                    if number in restarts:
                        break
        assert not any(contradict(*pair) for pair in combinations(cosigned, 2))
        assert [size for _, size in cosigned] == sorted(size for _, size in cosigned)
        assert last_size(folder) == (cosigned[-1][1] if cosigned else 0)


def test_of_many_at_once_one_at_a_time_is_cosigned(tmp_path: Path) -> None:
    folder = new_folder(tmp_path / "w")
    bodies = [one.request(0, size) for one in HISTORIES for size in range(1, 17)]

    with Witness.opened(folder) as witness, ThreadPoolExecutor(16) as threads:

        def send(body: bytes) -> bool:
            try:
                witness.add(body, NOON)
            except Refused:
                return False
            return True

        assert sum(threads.map(send, bodies)) == 1


def shared_memory() -> str | None:
    """Where nothing waits for a disk: of what is written none has to last here."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
