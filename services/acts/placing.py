"""Where a message speaks of, from a unit's id or from the name that somebody said; never a guess.

At a form whoever types can be asked again, so a name that means no place, or several, is refused with the candidates. A
message is received all the same, as unplaced, its words kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import SecretStr

from events.places.facts import UnitKind
from events.places.gazetteer import Gazetteer
from events.places.lookup import Candidate, Candidates, Directory, Found, NotFound
from events.refusals import BadInput, Problem
from events.report.decisions import Receive
from events.stated import AT_A_FORM
from events.vocabulary import Located, PlacePrecision
from services.acts.network import UNPLACED, Network

CHOOSE = "choose one of `candidates` and send its id as `unit`"


class PlaceUnclear(BadInput):
    """The name of a place means none or several; `candidates` are what it may mean, or what sounds like it."""

    def __init__(self, expected: str, mend: str, candidates: Sequence[Candidate]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(Problem(field="place_name", expected=expected, mend=mend))


class AmbiguousPlace(PlaceUnclear):
    """The name may mean several places."""


class UnknownPlace(PlaceUnclear):
    """No place bears the name."""


def place_of(network: Network, command: Receive, name: SecretStr | None) -> tuple[Located, bool]:
    """Where a message speaks of, and whether that is known. A unit comes before a name. Raises BadInput at a form."""
    at_a_form = command.channel in AT_A_FORM
    if command.unit is not None and (at_a_form or name is None or command.unit in network.gazetteer.units):
        if at_a_form:
            network.located(command.unit, command.place_precision)
        return network.located_or_unplaced(command.unit, command.place_precision)
    if name is not None:
        unclear = f"{CHOOSE}, or send the name as `place_words`: it is then kept as unplaced"
        try:
            unit = unit_named(network.gazetteer, name, unclear)
        except PlaceUnclear:
            if at_a_form:
                raise
        else:
            if unit.unit_id != UNPLACED:
                return network.located(unit.unit_id, _precision(command.place_precision, unit.kind)), True
    return network.located_or_unplaced(None, command.place_precision)


def unit_named(gazetteer: Gazetteer, name: SecretStr, where_unknown: str = CHOOSE) -> Candidate:
    """The one place that bears this name; raises AmbiguousPlace and UnknownPlace, with candidates."""
    match directory_of(gazetteer).look_up(name.get_secret_value()):
        case Found(unit):
            return unit
        case Candidates(units, why):
            raise AmbiguousPlace(f"the name of one place: {why.value}", CHOOSE, units)
        case NotFound(near):
            raise UnknownPlace("a name that the gazetteer in force knows", where_unknown, near)


def placed_by_name(gazetteer: Gazetteer, fields: dict[str, Any], name: SecretStr | None) -> dict[str, Any]:
    """A form's fields with the unit that a name means, where it names none itself. Raises PlaceUnclear."""
    if name is None or fields.get("unit") is not None:
        return fields
    return fields | {"unit": unit_named(gazetteer, name).unit_id}


def with_words(command: Receive, name: SecretStr | None) -> Receive:
    """The command with the name among the words for the place, so that whoever places it better sees what was said."""
    if name is None:
        return command
    said = [name.get_secret_value(), command.place_words.get_secret_value() if command.place_words else ""]
    return command.model_copy(update={"place_words": SecretStr("\n".join(filter(None, said)))})


def _precision(said: PlacePrecision, kind: UnitKind) -> PlacePrecision:
    """As precise as was said, else as the unit that the name means."""
    if said != PlacePrecision.UNKNOWN:
        return said
    known = PlacePrecision.read(kind.value)
    return known if known.known else PlacePrecision.UNKNOWN


@lru_cache(maxsize=2)
def directory_of(gazetteer: Gazetteer) -> Directory:
    """The names of a gazetteer, folded once."""
    return Directory(gazetteer)
