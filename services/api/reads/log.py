"""What the log has signed of itself, for whoever verifies it: checkpoint, proofs, and its tree in C2SP tlog-tiles.

Below /v1/log stands what that specification wants below a log's prefix, so that a program which knows nothing of ours
reads it there. Nothing beyond the last checkpoint is shown.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from services.api.examples import CHECKPOINT, LOG_KEY
from services.api.problems import BAD_PARAMETER, NO_SUCH_PAGE, NOT_SIGNED, Refused
from services.api.reading import Asked, Parameter, Read, Reply
from services.notary.operator import published_keys
from services.notary.signed import Signed
from services.tlog.notes import NAME
from services.tlog.tiles import Place, read_path

BYTES = "application/octet-stream"
TEXT = "text/plain"
NUMBER = {"type": "integer", "minimum": 1}

POSITION = Parameter("position", "The position of an event.", NUMBER, required=True)
SIZE = Parameter("size", "The size of the tree; that of the last checkpoint where it is left out.", NUMBER)
FROM = Parameter("from", "The size of the older tree.", NUMBER, required=True)
WITNESS = Parameter(
    "witness", "The name of a witness: the last checkpoint that it cosigned.", {"type": "string", "maxLength": 300}
)
TO = Parameter("to", "The size of the newer tree; that of the last checkpoint where it is left out.", NUMBER)


async def log_checkpoint(asked: Asked) -> Reply:
    """The last checkpoint: how long the log is, and the root of its tree, signed (C2SP tlog-checkpoint).

    Behind the log's signatures stand the cosignatures of its witnesses, as far as they have come (C2SP
    tlog-cosignature): the last one that a witness cosigned may be an older one.
    """
    signed, name = asked.office.proving.signed, asked.one("witness")
    if name is not None and not NAME.fullmatch(name):
        raise Refused(BAD_PARAMETER, "witness: expected a name like witness.example.org/w1; correct it.")
    return Reply((await (signed.newest() if name is None else signed.cosigned_by(name))).note.encode())


async def log_keys(asked: Asked) -> Reply:
    """The keys by which the log is verified now, the oldest first, one a line, as `verify.py --key` takes them."""
    keys = await published_keys(asked.office.log_public_keys, asked.office.proving.signed)
    return Reply("".join(f"{one}\n" for one in keys).encode())


async def inclusion_proof(asked: Asked) -> Reply:
    """That an event is in the tree of a size: the hashes that lead from its leaf to the root (RFC 6962)."""
    position, size = _needed(asked, "position"), _number(asked, "size")
    found = await asked.office.proving.inclusion(position, size)
    told = {
        "position": position,
        "index": position - 1,
        "size": found.size,
        "leaf": _text(found.leaf),
        "root": _text(found.root),
    }
    return Reply(told | _proof(found.hashes, found.signed))


async def consistency_proof(asked: Asked) -> Reply:
    """That the tree of one size begins with that of another: nothing that was signed before was altered (RFC 6962)."""
    old, new = _needed(asked, "from"), _number(asked, "to")
    found = await asked.office.proving.consistency(old, new)
    told = {
        "from": found.old,
        "to": found.new,
        "from_root": _text(found.old_root),
        "to_root": _text(found.new_root),
    }
    return Reply(told | _proof(found.hashes, found.signed))


async def log_tile(asked: Asked) -> Reply:
    """A tile of the tree: up to 256 hashes of 32 bytes, at the address that C2SP tlog-tiles gives it."""
    place, width = _tile(f"{asked.request.path_params['level']}/{asked.request.path_params['tile']}")
    return _there(await asked.office.proving.tile(place, width), "tile")


async def log_entry_bundle(asked: Asked) -> Reply:
    """Up to 256 events, each with its length in two bytes before it, where all of them are short enough for that."""
    place, width = _tile(f"0/{asked.request.path_params['bundle']}")
    return _there(await asked.office.proving.entries(place.number, width), "bundle")


async def log_entry(asked: Asked) -> Reply:
    """The bytes of one event, as they are on Kafka: what its leaf in the tree is the hash of."""
    return Reply(await asked.office.proving.entry(_read_number("position", asked.request.path_params["position"])))


def _tile(path: str) -> tuple[Place, int]:
    found = read_path(path)
    if found is None:
        raise Refused(NO_SUCH_PAGE, "No tile has this address: see C2SP tlog-tiles, <L>/<N>[.p/<W>].")
    return found


def _there(content: bytes | None, what: str) -> Reply:
    if content is None:
        raise Refused(NOT_SIGNED, f"The tree of the last checkpoint has no {what} of this number and width.")
    return Reply(content)


def _proof(hashes: Sequence[bytes], signed: Signed | None) -> dict[str, object]:
    """The checkpoint stands beside it where one of exactly this size was signed."""
    return {"hashes": [_text(one) for one in hashes], "checkpoint": signed and signed.note}


def _needed(asked: Asked, name: str) -> int:
    if (number := _number(asked, name)) is None:
        raise Refused(BAD_PARAMETER, f"{name}: expected a number from 1 on; add it.")
    return number


def _number(asked: Asked, name: str) -> int | None:
    said = asked.one(name)
    return None if said is None else _read_number(name, said)


def _read_number(name: str, said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) <= 15 and int(said) > 0):
        raise Refused(BAD_PARAMETER, f"{name}: expected a number from 1 on; correct it.")
    return int(said)


def _text(one: bytes) -> str:
    return b64encode(one).decode()


READS = (
    Read("/v1/log/checkpoint", "read.log", log_checkpoint, (WITNESS,), media_type=TEXT, example=lambda: CHECKPOINT),
    Read("/v1/log/keys", "read.log-keys", log_keys, media_type=TEXT, example=lambda: LOG_KEY),
    Read("/v1/log/proofs/inclusion", "read.log", inclusion_proof, (POSITION, SIZE)),
    Read("/v1/log/proofs/consistency", "read.log", consistency_proof, (FROM, TO)),
    Read(
        "/v1/log/tile/entries/{bundle}", "read.log-entries", log_entry_bundle,
        media_type=BYTES, lasts=True, open_end=True, example=lambda: "\x00\x02{}",
    ),
    Read(
        "/v1/log/tile/{level}/{tile}", "read.log", log_tile,
        media_type=BYTES, lasts=True, open_end=True, example=lambda: "…",
    ),
    Read(
        "/v1/log/entries/{position}", "read.log-entries", log_entry,
        media_type=BYTES, lasts=True, example=lambda: '{"sequence":"0000000000000001234"}',
    ),
)  # fmt: skip
