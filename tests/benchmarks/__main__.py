"""`make bench`: figures side by side, in one run, on the same servers; read the ratios, not the seconds.

    python -m tests.benchmarks                         all sections
    python -m tests.benchmarks project --events 200000 --rounds 3
    python -m tests.benchmarks project --only "our worker" --only Streams

A section is a function that takes the command line's options and prints its tables; to add one is to add a line.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.benchmarks import (
    answering,
    appending,
    folding,
    issuing,
    notifying,
    projecting,
    proving,
    recalling,
    refolding,
    relaying,
    remembering,
    replaying,
    serving,
    taking,
    verifying,
)
from tests.benchmarks.servers import servers


@dataclass(frozen=True)
class Options:
    """What can be said on the command line."""

    events: int
    rounds: int
    only: tuple[str, ...]
    projections: tuple[str, ...]
    rate: float | None


def append(options: Options) -> None:
    """Appending to the ledger, against the library's own recorder; a stream into its state, against bare JSON."""
    appending.compare()
    replaying.compare()


def project(options: Options) -> None:
    """A live projection, against other ways to write it."""
    with servers() as running:
        print(f"{options.events:,} events put on Kafka, {running.fill(options.events):,.0f} a second", flush=True)
        asyncio.run(projecting.project(running, options.projections, options.rounds, options.only))


def fold(options: Options) -> None:
    """Folding in memory, against pydantic's reading of the same events."""
    folding.compare(options.events)


def relay(options: Options) -> None:
    """The relay, against a bare producer of the same bytes."""
    relaying.compare(options.events, options.rounds)


def refold(options: Options) -> None:
    """Rebuild against the live rate, replay against a bare poll loop."""
    with servers() as running:
        running.fill(options.events)
        asyncio.run(refolding.refold(running, options.rounds))


def memory(options: Options) -> None:
    """A processor's memory after all events, and after a tenth of them."""
    remembering.compare(options.events)


def latency(options: Options) -> None:
    """From a command to Kafka and to the projections."""
    answering.compare(options.rate, options.rounds)


def serve(options: Options) -> None:
    """The API over HTTP, against a handler that does nothing; one alert to a thousand clients."""
    serving.compare(options.rounds)


def notify(options: Options) -> None:
    """Webhooks, against a bare httpx loop."""
    notifying.compare(options.rounds)


def issue(options: Options) -> None:
    """Alerts as CAP documents, feed entries, features and lines of a table."""
    issuing.compare(options.rounds)


def verify(options: Options) -> None:
    """Verifying a log against a bare poll-and-hash loop."""
    with servers() as running:
        running.fill(options.events)
        asyncio.run(verifying.compare(running, options.events, options.rounds, options.only))


def prove(options: Options) -> None:
    """Extending a log's tree, and proofs of it."""
    proving.compare(options.events)


def evidence(options: Options) -> None:
    """Evidence packs of single cases."""
    taking.compare(options.events)


def asof(options: Options) -> None:
    """What stood at moments of a long history, asked through the API."""
    recalling.compare(options.events)


SECTIONS: Mapping[str, Callable[[Options], None]] = {
    "append": append,
    "fold": fold,
    "relay": relay,
    "project": project,
    "refold": refold,
    "memory": memory,
    "latency": latency,
    "serve": serve,
    "notify": notify,
    "issue": issue,
    "verify": verify,
    "prove": prove,
    "evidence": evidence,
    "asof": asof,
}


def main() -> None:
    """Run the sections that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Figures side by side.")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--events", type=int, default=200_000, help="events on the topic (the marks are of 1,000,000)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each contender runs, in turns")
    parser.add_argument("--only", action="append", default=[], help="contenders whose name contains this word")
    parser.add_argument("--projection", action="append", help="what is folded; by default all that the figure is about")
    parser.add_argument("--rate", type=float, help="commands a second; by default half of what can be sustained")
    said = parser.parse_args()
    names = tuple(said.projection or projecting.live_names())
    options = Options(said.events, said.rounds, tuple(said.only), names, said.rate)
    for name in said.sections or SECTIONS:
        SECTIONS[name](options)


if __name__ == "__main__":
    main()
