"""A whole demonstration: servers, network, play on the screen, summary, and for `--once` the check and the end."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from rich.console import Console, RenderableType
from rich.live import Live

from services.api.tokens import TokenIssuer
from services.demo.cast import Cast
from services.demo.check import Verdict, check
from services.demo.door import NoAnswer, open_door
from services.demo.founding import found
from services.demo.play import ClockStopped, Playing, SimulatedClock, play
from services.demo.scenario import Scenario
from services.demo.screen import Screen
from services.demo.stack import DemoStack
from services.demo.story import Plan, plan
from services.demo.summary import read_outcome, summary, where_to_look
from services.demo.watch import Watch, watching
from services.ledger.ledger import LedgerError
from services.local.addresses import Addresses, find_addresses
from services.local_problem import LocalProblem
from services.processors.errors import Halt

READY_SECONDS = 600.0
"""A machine with other work may take minutes; what is waited for is said meanwhile, so nobody wonders."""

DRAWN_PER_SECOND = 3
LINE_SECONDS = 5.0
RECORDED_WIDTH = 144


@dataclass
class Demonstration:
    """One scenario on one stack, shown on one console."""

    scenario: Scenario
    stack: DemoStack
    console: Console
    seed: int | None = None
    record: Path | None = None
    cast: Cast = field(init=False)
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.cast = Cast(self.scenario)
        self.plan = plan(self.scenario, self.cast, self.seed)

    async def run(self, *, once: bool) -> list[str]:
        """Show it; returns what was found wrong. Raises LocalProblem where it cannot go on; `once` ends the stack."""
        say = self.console.print
        say(
            f"[bold]{self.scenario.head.title}[/]: {len(self.scenario.entries)} things that public accounts tell, and "
            f"{len(self.plan.acts):,} commands that an invented network gives because of them (seed {self.plan.seed})."
        )
        await self.stack.begin_anew()
        try:
            await self.stack.up(self._whisper)
            faults = await self._play(once=once)
        except BaseException:  # also when somebody ends it from the keyboard
            if once:
                await self.stack.down()
            elif self.stack.folder.is_owned():
                say(f"The stack in {self.stack.settings.folder} is still up: {self.stack.command_to_end}")
            raise
        if once:
            await self.stack.down()
            say("The stack is down again.")
        else:
            say(where_to_look(self.stack), soft_wrap=True)  # what is to be copied has no line breaks of ours
        return faults

    def _whisper(self, line: str) -> None:
        """Say what is only of use to who wonders."""
        self.console.print(line, style="dim", markup=False, highlight=False)

    async def _play(self, *, once: bool) -> list[str]:
        addresses = find_addresses(self.stack.settings)
        await found(self.stack.settings, self.scenario, self.cast, self.plan.begins)
        issuer = TokenIssuer.of(self.stack.settings)
        try:
            async with (
                open_door(self.stack.address, issuer) as door,
                SimulatedClock.open(addresses.app_dsn) as clock,
            ):
                await door.until_ready(READY_SECONDS, self._whisper)
                playing = Playing(self.plan, door, self.plan.begins)
                watch = Watch(self.cast, playing)
                shown = _Shown(self, watch)
                async with shown.meanwhile():
                    await play(playing, clock)
                faults = _unsent(playing)
                verdict = await self._check(addresses, playing) if once else None
                tables = summary(self.scenario, watch, await read_outcome(watch))
                shown.end(tables)
        except (NoAnswer, ClockStopped, LedgerError, Halt, asyncpg.PostgresError, TimeoutError) as error:
            raise LocalProblem(
                f"The play could not go on: {str(error) or type(error).__name__} The logs are in "
                f"{self.stack.folder.logs}."
            ) from error
        if verdict is not None:
            faults += verdict.faults
            self._tell(verdict, playing)
        for fault in faults:
            self.console.print(fault, style="red", markup=False)
        return faults

    async def _check(self, addresses: Addresses, playing: Playing) -> Verdict:
        return await check(
            addresses, playing.door.acknowledged, lambda line: self.console.print(line, style="dim", markup=False)
        )

    def _tell(self, verdict: Verdict, playing: Playing) -> None:
        if not verdict.faults:
            rows = sum(one.rows for one in verdict.projections.values())
            self.console.print(
                f"\n[bold green]Checked:[/] all {len(playing.door.acknowledged):,} acknowledged commands are on Kafka, "
                f"in unbroken chains, as they were acknowledged ({verdict.events:,} events, {verdict.records:,} "
                f"records); and all {len(verdict.projections)} projections, {rows:,} rows, equal their replay from it."
            )


class _Shown:
    """What is on the console while it is played, and what is recorded of it."""

    def __init__(self, demonstration: Demonstration, watch: Watch) -> None:
        self._console = demonstration.console
        self._record = demonstration.record
        self._title = demonstration.scenario.head.title
        self._watch = watch
        self._screen = Screen(demonstration.scenario, watch)
        self._worst = -1
        self._recorded: Console | None = None

    @asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        """Watch and draw for as long as the block runs."""
        looking = asyncio.create_task(watching(self._watch))
        drawing = asyncio.create_task(self._draw() if self._console.is_terminal else self._tell())
        recording = asyncio.create_task(self._keep_the_worst())
        try:
            yield
        finally:
            for task in (looking, drawing, recording):
                task.cancel()
            for task in (looking, drawing, recording):
                with suppress(asyncio.CancelledError):
                    await task

    def end(self, tables: object) -> None:
        """The summary; and where it is recorded, the worst moment with the summary under it."""
        self._console.print(tables)
        if self._record is not None and self._recorded is not None:
            self._recorded.print(tables)
            self._record.write_text(without_fonts(self._recorded.export_svg(title=f"intabaza demo: {self._title}")))

    async def _draw(self) -> None:
        with Live(self._frame(), console=self._console, auto_refresh=False, transient=False) as live:
            try:
                while True:
                    await asyncio.sleep(1 / DRAWN_PER_SECOND)
                    live.update(self._frame(), refresh=True)
            finally:
                live.update(self._frame(), refresh=True)

    def _frame(self) -> RenderableType:
        return self._screen.frame(*self._console.size)

    async def _tell(self) -> None:
        """Plain lines: how it stands every few seconds, and each change for the worse as it is seen."""
        told: set[tuple[str, int]] = set()
        while True:
            await asyncio.sleep(LINE_SECONDS)
            self._console.print(self._screen.line(), markup=False, highlight=False, soft_wrap=True)
            for change in list(self._watch.changes):
                if change.after > max(change.before, 1) and (change.unit, change.number) not in told:
                    told.add((change.unit, change.number))
                    line = self._screen.change_line(change)
                    self._console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)

    async def _keep_the_worst(self) -> None:
        while self._record is not None:
            await asyncio.sleep(0.5)
            if (gravity := self._screen.gravity()) > self._worst:
                self._worst = gravity
                self._recorded = Console(
                    record=True, width=RECORDED_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
                )
                self._recorded.print(self._screen.frame())


def without_fonts(svg: str) -> str:
    """A drawing that fetches nothing from anywhere: each text says its own length, so any monospaced font will do."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")


def _unsent(playing: Playing) -> list[str]:
    """What the door refused though the story asked for it, and what could not be sent because of that."""
    faults = [f"Refused: {refusal}" for refusal in playing.door.refused]
    if playing.left_out:
        faults.append(f"{len(playing.left_out)} acts were left out, since they speak of what was refused.")
    return faults
