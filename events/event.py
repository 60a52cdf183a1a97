"""The base of every event's data, and what a decision is told about the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from events.vocabulary import Actor, Mode


class Event(BaseModel):
    """The data of one immutable fact; frozen. Attributes that a later version added are kept.

    `name` and `schema_version` are its wire name (`noun.past_participle`) and version; never a Python path.
    `broadcast` events go to every partition; `derived` ones are made by a projection and name its engine.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, hide_input_in_errors=True)

    name: ClassVar[str]
    schema_version: ClassVar[int] = 1
    broadcast: ClassVar[bool] = False
    derived: ClassVar[bool] = False

    def wire_data(self) -> dict[str, Any]:
        """JSON-ready data: absent is not stated, so nothing is written as null.

        Raises ValueError, which quotes nothing, when a text is still in clear or a field holds what it never should.
        """
        try:
            return self.model_dump(mode="json", by_alias=True, exclude_none=True, warnings="error")
        except PydanticSerializationError:
            raise ValueError(f"{self.name} holds a text in clear or a value of a wrong type: seal it first") from None


@dataclass(frozen=True, slots=True)
class Act:
    """Who decides, when by their own clock (`today` is that moment's local date), and in what earnest."""

    at: datetime
    today: date
    by: Actor
    mode: Mode = Mode.ACTUAL
