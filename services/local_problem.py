"""What the command line answers when something does not work: the sentence that a person at the keyboard reads."""

from __future__ import annotations


class LocalProblem(Exception):
    """Something a person can mend; the message says what and how. `status` is what the command line ends with."""

    status = 1
