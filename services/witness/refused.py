"""Why a witness does not cosign what it was sent: each with a status of HTTP, as C2SP tlog-witness gives them.

Refused
├── Malformed    400  it is no request, or its old size is above that of its checkpoint
├── NotTrusted   403  no key that is known of this log signed it
├── UnknownLog   404  nobody asked this witness to watch this log
├── OtherSize    409  the witness cosigned another size last than the request begins from; the answer is that size
├── Forked       409  of the very size that was cosigned last it states another root: the log has two histories
├── NotProven    422  the proof does not lead from what was cosigned last
└── NotNow       503  the witness could not remember it, or its clock is behind: nothing was cosigned
"""

from __future__ import annotations

SIZE_TYPE = "text/x.tlog.size"


class Refused(Exception):
    """The message is what whoever sent it reads."""

    status = 400
    media_type = "text/plain"


class Malformed(Refused):
    """What was sent is no request."""


class NotTrusted(Refused):
    """No key that is known of this log signed it."""

    status = 403


class UnknownLog(Refused):
    """This witness does not watch this log."""

    status = 404


class OtherSize(Refused):
    """The request begins from another size than was cosigned last."""

    status = 409
    media_type = SIZE_TYPE

    def __init__(self, size: int) -> None:
        super().__init__(str(size))
        self.size = size


class Forked(Refused):
    """Two roots of one size, both signed by the log."""

    status = 409


class NotProven(Refused):
    """The proof does not hold."""

    status = 422


class NotNow(Refused):
    """It could not be remembered, so nothing was cosigned."""

    status = 503
