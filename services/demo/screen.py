"""The screen of a play: the country by province, what changed and why, the last cases, how far each stage lags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from events.level import LevelCause
from events.places.facts import UnitKind
from projections.alert_level.naming import LEVELS, points
from projections.rule_set import read_rule_set
from services.demo.acts import Act
from services.demo.scenario import Entry, Scenario
from services.demo.watch import STAGES, Change, Watch, quantiles

STYLES = ("green", "cyan", "yellow", "dark_orange", "bold white on red")
UNHEARD = Text("· ", "dim")
CAUSES = {
    LevelCause.EVIDENCE: "reported",
    LevelCause.RETRACTION: "taken back",
    LevelCause.FADING: "time passed",
    LevelCause.RESOLVED: "resolved",
    LevelCause.RULES: "other rules",
    LevelCause.GAZETTEER: "other division",
    LevelCause.ELECTION_WINDOW: "election",
    LevelCause.ENGINE: "corrected program",
    LevelCause.COVERAGE: "watched again",
}
"""Why a level is another one now, in a word or two."""
ROWS = 12
"""Lines of what changed, and of the last cases."""
LOW, NARROW = 38, 110
"""Lines below which the lags stand beside the country, and columns below which nothing does."""


class Screen:
    """Draws what a watch has seen."""

    def __init__(self, scenario: Scenario, watch: Watch) -> None:
        self._scenario = scenario
        self._watch = watch
        self._zone = ZoneInfo(read_rule_set(scenario.rules).time_zone)
        self._entries = {entry.entry: entry for entry in scenario.entries}
        self._labels = {one.recipient: one.label for one in scenario.head.recipients}
        self._provinces = list(_provinces(scenario))

    def frame(self, width: int = 140, height: int = 40) -> RenderableType:
        """The whole screen as it stands; on a low one fewer lines, on a narrow one less of it."""
        country = _panel("The country, commune by commune; open cases", self._country())
        lags = _panel("How long it takes until a command is …", self._lags())
        if width < NARROW:
            return Group(self._head(), country, lags)
        columns = Table.grid(expand=True, padding=(0, 1))
        columns.add_column(width=53)
        columns.add_column(ratio=1)
        low = height < LOW
        rows = max((height - 18) // 2, 3) if low else ROWS
        news = [_panel("What changed, and why", self._changes(rows)), _panel("The last cases", self._cases(rows))]
        columns.add_row(Group(country, *([] if low else [lags])), Group(*news, *([lags] if low else [])))
        return Group(self._head(), columns, self._legend())

    def line(self) -> str:
        """The same where there is no terminal: one line."""
        counts = self._counts()
        levels = ", ".join(f"{counts[level]} {LEVELS[level]}" for level in range(4, 0, -1))
        lags = "; ".join(
            f"{name} {_milliseconds(next(quantiles(seconds)))}" for name, seconds in self._watch.lags.items() if seconds
        )
        playing = self._watch.playing
        return (
            f"{self._local(playing.now):%Y-%m-%d}: {playing.done} commands, {len(playing.door.refused)} refused; "
            f"units at {levels}; {self._watch.alerts} alerts" + (f"; {lags} at the median" if lags else "")
        )

    def change_line(self, change: Change) -> str:
        """A change in one plain line."""
        return self._change(change).plain

    def gravity(self) -> int:
        """How bad the country stands, for choosing what to show of a play."""
        return sum(4 ** (row["level"] or 0) for row in self._watch.levels.values())

    # --- parts --------------------------------------------------------------------------------------------------------

    def _head(self) -> RenderableType:
        playing = self._watch.playing
        done = (playing.now - playing.plan.begins) / (playing.plan.ends - playing.plan.begins)
        title = Text.assemble(
            ("Intabaza  ", "bold"),
            self._scenario.head.title,
            "   ",
            (f"{self._local(playing.now):%A %d %B %Y, %H:%M}", "bold yellow"),
            f"   {playing.done:,} of {len(playing.plan.acts):,} commands, "
            f"{len(playing.door.refused) or 'none'} refused",
        )
        bar = Table.grid(expand=True)
        bar.add_row(ProgressBar(total=1.0, completed=done))
        return Group(title, bar)

    def _country(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        for name, wide, communes in self._provinces:
            cells = Text()
            for unit in communes:
                cells.append(self._cell(unit))
            worst = max((self._level(unit) or 0 for unit in (*wide, *communes)), default=0)
            open_cases = sum(self._open(unit) for unit in (*wide, *communes))
            label = Text(f"{name[:16]:17}")
            for unit in wide:
                label.append(self._cell(unit))
            table.add_row(label, cells, Text(str(open_cases or ""), STYLES[worst] if worst else "dim"))
        return table

    def _changes(self, rows: int) -> RenderableType:
        recent = sorted(self._watch.changes, key=lambda change: change.at)[-rows:]
        lines = [self._change(change) for change in reversed(recent)]
        return Group(*lines, *[Text()] * (rows - len(lines)))

    def _change(self, change: Change) -> Text:
        text = Text(f"{self._local(change.at):%d %b %y}  ", no_wrap=True, overflow="ellipsis")
        text.append(f"{called(self._scenario, change.unit)[:20]:20} ")
        text.append(LEVELS[change.before], STYLES[change.before])
        text.append(" → " if change.after > change.before else " ↘ ")
        text.append(LEVELS[change.after], STYLES[change.after])
        why = ", ".join(f"{kind.replace('_', ' ')} {points(counted)}" for kind, counted in change.why[:3])
        more = f" and {len(change.why) - 3} more" if len(change.why) > 3 else ""
        text.append(f"  {CAUSES[LevelCause(change.cause)]}: {why or 'no open case'}{more}", "dim")
        return text

    def _cases(self, rows: int) -> RenderableType:
        told = [act for act in reversed(self._watch.playing.told) if act.operation in NOTED][:rows]
        lines = [self._case(act) for act in told]
        return Group(*lines, *[Text()] * (rows - len(lines)))

    def _case(self, act: Act) -> Text:
        entry = self._entries[act.chain.split(" ", 1)[0]]
        text = Text(f"{self._local(act.at):%d %b %H:%M}  ", no_wrap=True, overflow="ellipsis")
        text.append(f"{called(self._scenario, entry.unit)[:20]:20} ")
        text.append(f"{entry.kind.replace('_', ' ')}, {entry.severity}: ", "dim")
        text.append(self._done(act, entry))
        return text

    def _done(self, act: Act, entry: Entry) -> str:
        body = act.body
        match act.operation:
            case "cases":
                return "opened by one coordinator, to save a life" if body.get("provisional") else "opened"
            case "assess":
                votes = f"{len(body['in_favour'])} for it" + (", one dissents" if body.get("dissent") else "")
                return f"assessed: {str(body['verification_state']).replace('_', ' ')}, {votes}"
            case "refer":
                return f"referred to {self._labels[body['recipient']]}, for {body['purpose']}"
            case "decline":
                return f"referral declined: {str(body['reason']).replace('_', ' ')}"
            case "complete":
                return "referral done" if body["successful"] else f"referral failed: {body['reason_not']}"
            case "check-outcome":
                return f"outcome {body['outcome']}"
            case "decide":
                return f"decided: {str(body['choice']).replace('_', ' ')}"
            case "resolve":
                return f"resolved: {str(body['outcome']).replace('_', ' ')}"
            case operation:
                return WORDS.get(operation, operation.replace("-", " "))

    def _lags(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        playing = self._watch.playing
        seconds = {STAGES[0]: playing.door.seconds, **self._watch.lags}
        for stage in STAGES:
            found = list(quantiles(seconds[stage][-400:]))
            told = f"{_milliseconds(found[0])}, 99 % in {_milliseconds(found[1])}" if found else "…"
            table.add_row(Text(stage, "dim"), told)
        alert = self._watch.last_alert
        last = Text(no_wrap=True, overflow="ellipsis")
        if alert:
            last.append(f"{alert['unit_name']} {LEVELS[alert['from']]} → {LEVELS[alert['to']]} on {alert['on']}")
        table.add_row(Text("alerts to strangers", "dim"), str(self._watch.alerts))
        table.add_row(Text("the last of them", "dim"), last)
        return Group(table, Text(self._watch.trouble, "red", no_wrap=True, overflow="ellipsis"))

    def _legend(self) -> RenderableType:
        text = Text("Levels: ", "dim")
        for level, name in enumerate(LEVELS):
            text.append(f"{level} {name}", STYLES[level])
            text.append("  ")
        text.append("· nothing heard of it, which is not calm.  ", "dim")
        text.append("Behind a change: kinds of cases, and the points that each counts.  ", "dim")
        text.append("Days, places, kinds and severity: public accounts. ", "dim")
        text.append("Who reported, judged, referred and answered: invented, drawn at random from a seed.", "bold dim")
        return text

    # --- what is seen -------------------------------------------------------------------------------------------------

    def _cell(self, unit: str) -> Text:
        level = self._level(unit)
        if level is None:
            return UNHEARD
        return Text.assemble((str(level), STYLES[level]), " ")

    def _level(self, unit: str) -> int | None:
        row = self._watch.levels.get(unit)
        return None if row is None else row["level"]

    def _open(self, unit: str) -> int:
        row = self._watch.levels.get(unit)
        return 0 if row is None else int(row["open_cases"])

    def _counts(self) -> Mapping[int, int]:
        levels = [row["level"] or 0 for row in self._watch.levels.values()]
        return {level: levels.count(level) for level in range(5)}

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)


WORDS = {
    "ratify": "ratified by the committee",
    "not-ratify": "not ratified",
    "acknowledge": "referral received",
    "accept": "referral accepted",
    "revoke": "referral taken back",
    "fail-delivery": "referral did not arrive",
    "merge": "merged into another",
    "act-without-consent": "goes on without consent, two people agreed",
    "record-action": "something was done about it",
    "close": "closed",
}
NOTED = frozenset({"cases", "assess", "refer", "decline", "complete", "check-outcome", "decide", "resolve", *WORDS})
"""Operations that the list of cases tells."""


def called(scenario: Scenario, unit: str) -> str:
    """A unit by its name, and by its kind where a commune may bear the same one."""
    known = scenario.gazetteer.units[unit]
    wider = known.kind in (UnitKind.PROVINCE, UnitKind.CITY)
    return f"{known.name}, {known.kind}" if wider else known.name


def _provinces(scenario: Scenario) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each province with the units as wide as it or a city in it, and its communes; the whole country first."""
    gazetteer = scenario.gazetteer
    countries = [unit for unit in gazetteer.in_force() if unit.kind is UnitKind.COUNTRY]
    for country in countries:
        yield country.name, (country.unit_id,), ()
    for province in sorted(gazetteer.in_force(kind=UnitKind.PROVINCE), key=lambda one: one.name):
        within = [one for one in gazetteer.in_force() if gazetteer.lies_in(one.unit_id, province.unit_id)]
        cities = [one.unit_id for one in within if one.kind is UnitKind.CITY]
        communes = sorted((one for one in within if one.kind is UnitKind.COMMUNE), key=lambda one: one.name)
        yield province.name, (province.unit_id, *cities), tuple(one.unit_id for one in communes)


def _panel(title: str, inside: RenderableType) -> RenderableType:
    return Panel(inside, title=title, title_align="left", border_style="dim")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
