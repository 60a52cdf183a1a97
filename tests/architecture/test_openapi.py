"""The description of the API: every route and nothing else, valid by its own standard, its examples true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute

from events.reference import DiscontinuedClock
from services.api.app import make_app
from services.api.commands import ROUTES
from services.api.mends import MENDS
from services.api.problems import BAD_FIELD, MEDIA_TYPE, NO_SUCH_METHOD, REFUSALS, catalogue, kind_of
from services.api.refusing import decided, of_command
from services.api.routing import OPEN
from services.gazetteer import read_gazetteer
from tests.support.documented import description, validator


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for address, methods in description()["paths"].items():
        for method, operation in methods.items():
            yield address, method, operation


def test_it_is_valid_by_the_standard() -> None:
    schema = schemathesis.openapi.from_dict(description())
    schema.validate()
    assert sum(1 for _ in schema.get_all_operations()) == sum(1 for _ in operations())


def test_every_route_is_described_and_nothing_else() -> None:
    routes = [route for route in make_app(lambda: pytest.fail("opened")).routes if isinstance(route, APIRoute)]
    served = {(route.path.replace(OPEN, "}"), method.lower()) for route in routes for method in route.methods or ()}
    assert served == {(address, method) for address, method, _ in operations()}
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))


def test_every_body_has_an_example_that_it_admits() -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]
        for _, _, operation in operations()
        if "requestBody" in operation
    ]
    assert len(bodies) > len(ROUTES)
    for body in bodies:
        validator(json.dumps(body["schema"])).validate(body["example"])


def test_a_body_with_a_field_too_many_or_too_few_is_not_admitted() -> None:
    report = description()["paths"]["/v1/reports"]["post"]["requestBody"]["content"]["application/json"]
    admits = validator(json.dumps(report["schema"])).is_valid
    assert admits(report["example"])
    assert not admits(report["example"] | {"received_at": "2026-05-20T06:30:00Z"})
    assert not admits(report["example"] | {"kind": "riot"})
    assert not admits({name: value for name, value in report["example"].items() if name != "text"})


def test_every_answer_has_a_schema_that_its_examples_keep() -> None:
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                assert "schema" in content, (operation["operationId"], status)
                refused = media_type == MEDIA_TYPE
                assert "example" in content or refused, (operation["operationId"], status)
                if "example" in content:
                    validator(json.dumps(content["schema"])).validate(content["example"])
    for answer in description()["components"]["responses"].values():
        (content,) = answer["content"].values()
        for reference in content["examples"].values():
            number = reference["$ref"].rpartition("/")[2]
            example = description()["components"]["examples"][number]["value"]
            validator(json.dumps(content["schema"])).validate(example)
            assert example["number"] == int(number)


def test_every_problem_is_told_where_it_may_happen() -> None:
    told = {int(number) for name in description()["components"]["responses"] for number in name.split("-")}
    nowhere_described = {NO_SUCH_METHOD, REFUSALS[DiscontinuedClock]}
    assert {kind.number for kind in catalogue()} - told == {kind.number for kind in nowhere_described}


def test_what_a_decision_refuses_is_read_from_its_code() -> None:
    grade = next(route for route in ROUTES if route.operation == "report.grade")
    assert {"OwnReport", "AlreadyGraded", "StoodAside", "NoSuchReport"} <= {
        one.__name__ for one in decided(grade.command)
    }
    for route in ROUTES:
        assert BAD_FIELD in of_command(route)
        assert {kind_of(one.__new__(one)) for one in decided(route.command)} <= of_command(route)


def test_every_operation_shows_what_it_answers() -> None:
    for _, _, operation in operations():
        shown = [
            content["example"]
            for status, answer in operation["responses"].items()
            if status.startswith("2")
            for content in answer.get("content", {}).values()
            if "example" in content
        ]
        assert shown, operation["operationId"]
        assert all(shown), operation["operationId"]


def test_every_page_of_the_catalogue_says_what_to_do() -> None:
    for kind in catalogue():
        assert len(kind.to_do.split()) >= 3, kind
    assert MENDS.keys() == {kind.number for kind in catalogue() if not kind.mend}


def test_the_codes_of_the_examples_are_those_of_the_gazetteer() -> None:
    facts = read_gazetteer(Path(__file__).parents[2] / "deploy" / "gazetteer" / "burundi").units
    coded = list(_coded(description()))
    assert coded
    for one in coded:
        unit = facts[one["unit"]]
        assert one["unit_name"] == unit.name
        assert {code["code"] for code in one["codes"] if code["scheme"] == "pcode"} == {unit.pcode}


def _coded(part: Any) -> Iterator[dict[str, Any]]:
    """Every place in an example that is shown with codes."""
    match part:
        case {"unit": str(), "codes": list()}:
            yield part
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _coded(one)
