"""`intabaza witness keys | trust | serve | status | check | resume`: a witness of logs, run by another organisation."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.named_files import bytes_of
from services.local_problem import LocalProblem

if TYPE_CHECKING:
    from services.witness.folder import Folder, Seen
    from services.witness.witness import Witness

app = typer.Typer(
    help="Cosign logs of others, as a witness: it needs a folder, and neither database nor Kafka.", no_args_is_help=True
)

Where = Annotated[Path, typer.Option("--folder", help="The folder of the witness.", metavar="FOLDER")]
WHERE = Path("intabaza-witness")


@app.command()
def keys(
    folder: Where = WHERE,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Make a witness of this name first, like witness.example.org/w1.", metavar="NAME"),
    ] = None,
) -> None:
    """Show the key of the witness: hand it to the logs that it watches, and to whoever verifies them."""
    if name is not None:
        _folder(folder).make(name)
    typer.echo(str(_folder(folder).verifier()))


@app.command()
def trust(
    key: Annotated[str, typer.Argument(help="A key of a log, as `intabaza log-keys list` shows it there.")],
    folder: Where = WHERE,
) -> None:
    """Watch a log, or believe a new key of one; a witness that serves does so from the next request on."""
    from services.witness.folder import log_key

    found = log_key(key)
    _folder(folder).trust(found)
    typer.echo(f"{found.name} is watched.")


@app.command()
def serve(
    folder: Where = WHERE,
    listen: Annotated[
        str, typer.Option(help="Where it answers; put a proxy with TLS before it.", metavar="HOST:PORT")
    ] = "127.0.0.1:8461",
) -> None:
    """Answer logs (C2SP tlog-witness, POST /add-checkpoint) until SIGTERM."""
    from services.telemetry import log_as_json
    from services.witness.witness import Witness

    host, _, port = listen.rpartition(":")
    if not (host and port.isdecimal() and int(port) < 65_536):
        raise LocalProblem(f"--listen {listen}: expected an address and a port, like 127.0.0.1:8461.")
    log_as_json()
    with Witness.opened(_folder(folder)) as witness:
        asyncio.run(_serve(witness, host.strip("[]"), int(port)))


async def _serve(witness: Witness, host: str, port: int) -> None:
    from services.witness.server import serving

    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, ended.set)
    async with serving(witness, host, port) as address:
        typer.echo(f"The witness answers at {address}/")
        sys.stdout.flush()
        await ended.wait()


@app.command()
def status(folder: Where = WHERE) -> None:
    """Show what was cosigned last of each log; the exit status is 1 where it cosigns no more, or a log forked."""
    from services.tlog.offline.verify import printable

    there = _folder(folder)
    typer.echo(f"{there.verifier()}\n")
    state = there.state()
    for origin in sorted({*there.trusted(), *state.logs}):
        typer.echo(f"{printable(origin)}: {_last(state.logs.get(origin))}")
    problems = []
    if forks := there.forks():
        problems.append(
            f"{len(forks)} logs signed two histories, each a file in {forks[0].parent}: show them to whoever relies on "
            "these logs."
        )
    if unproven := there.unproven():
        problems.append(
            f"{len(unproven)} logs signed what was not shown to go on from what was cosigned last, and nothing is "
            f"cosigned of them since: the two checkpoints of each are a file in {unproven[0].parent}. Have the log "
            "prove it (`intabaza audit prove-consistency` there) and give that to `intabaza witness check`. Where it "
            "cannot, it has two histories: show the file to whoever relies on it."
        )
    if problems:
        raise LocalProblem("\n" + "\n".join(problems))


def _last(seen: Seen | None) -> str:
    """On one line however narrow the terminal is: roots are compared whole."""
    if seen is None:
        return "never cosigned"
    at = f"{datetime.fromtimestamp(seen.seconds, UTC):%F %T} UTC"
    return f"size {seen.head.size}, root {seen.note.splitlines()[2]}, cosigned {at}"


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A request, as `audit prove-consistency` writes it; - is stdin.")],
    folder: Where = WHERE,
) -> None:
    """Say whether a checkpoint would be cosigned, by its proof and by what was cosigned last; nothing is.

    The exit status is 0 where it would be; 3 where the log has forked, or the proof does not lead from what was
    cosigned last; 5 where no key of the log signed it; 6 where the log is not watched; 7 where it begins from another
    size than was cosigned last; 2 where it is no request.
    """
    from services.tlog.offline.verify import ALTERED, ANOTHER_LOG, BEYOND, KEY_UNKNOWN, USAGE
    from services.witness import refused
    from services.witness.witness import would_cosign

    statuses = {
        refused.Malformed: USAGE,
        refused.NotTrusted: KEY_UNKNOWN,
        refused.UnknownLog: ANOTHER_LOG,
        refused.OtherSize: BEYOND,
        refused.Forked: ALTERED,
        refused.NotProven: ALTERED,
    }
    try:
        typer.echo(would_cosign(_folder(folder), _bytes_of(file)))
    except refused.OtherSize as other:
        typer.echo(f"Not cosigned: size {other.size} was cosigned last; begin the proof there.", err=True)
        raise typer.Exit(BEYOND) from None
    except refused.Refused as problem:
        typer.echo(f"Not cosigned: {problem}.", err=True)
        raise typer.Exit(statuses[type(problem)]) from None


@app.command()
def resume(
    folder: Where = WHERE,
    cosigned: Annotated[
        list[Path] | None,
        typer.Option("--cosigned", help="A log's last checkpoint, with this witness's cosignature.", metavar="FILE"),
    ] = None,
    as_it_is: Annotated[
        bool, typer.Option("--as-it-is", help="Of logs without one, nothing was cosigned since this state was written.")
    ] = False,
) -> None:
    """Go on after the folder was put back from a backup, copied or cut, from what was cosigned until then."""
    from services.witness.refused import Refused
    from services.witness.resuming import Unresumed, resumed

    there = _folder(folder)
    with there.owned():
        try:
            state = resumed(there, [_bytes_of(one).decode(errors="replace") for one in cosigned or []], as_it_is)
            there.write(state)
        except (Unresumed, Refused) as problem:
            raise LocalProblem(f"Not resumed: {problem}.") from None
        except OSError as error:
            raise LocalProblem(f"{folder} cannot be written ({error.strerror}).") from None
    typer.echo("It goes on from what `intabaza witness status` shows.")


def _folder(path: Path) -> Folder:
    from services.witness.folder import Folder

    return Folder(path.expanduser().absolute())


def _bytes_of(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else bytes_of(file)
