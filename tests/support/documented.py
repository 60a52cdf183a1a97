"""Whether an answer is one that the description of the API has: its status, its content type, its schema."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

import schemas
from services.api.openapi import PATH


@cache
def description() -> dict[str, Any]:
    """What is published."""
    document: dict[str, Any] = json.loads((Path(schemas.__file__).parent / PATH).read_bytes())
    return document


@cache
def validator(schema: str) -> Draft202012Validator:
    """Validates by a schema (as JSON) that may refer to the components of the description."""
    return Draft202012Validator(json.loads(schema) | {"components": description()["components"]})


def operation_at(method: str, path: str) -> dict[str, Any] | None:
    """The operation of an address; one without parameters goes before one with."""
    for address in sorted(description()["paths"], key=lambda address: (address.count("{"), address)):
        pattern = re.sub(r"{\w+}", "[^/]+", re.sub(r"{(?:tile|bundle)}$", ".+", address))
        if re.fullmatch(pattern, path) and method.lower() in description()["paths"][address]:
            operation: dict[str, Any] = description()["paths"][address][method.lower()]
            return operation
    return None


async def check(answer: httpx.Response) -> None:
    """Fails for an answer of ours that is not described; for addresses where nothing is, there is nothing to say."""
    request = answer.request
    operation = operation_at(request.method, request.url.path)
    if operation is None:
        assert answer.status_code in (404, 405), f"{request.method} {request.url.path} is described nowhere"
        return
    said = operation["responses"].get(str(answer.status_code))
    assert said is not None, f"{operation['operationId']} answers {answer.status_code}, which is not described"
    if "$ref" in said:
        said = description()["components"]["responses"][said["$ref"].rpartition("/")[2]]
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    content = said.get("content")
    assert (content is None) == (not media_type), f"{operation['operationId']}: {media_type or 'no content'}"
    if content is not None:
        assert media_type in content, f"{operation['operationId']} answers {media_type}, which is not described"
    if media_type.endswith("json") and content is not None:
        await answer.aread()
        faults = list(validator(json.dumps(content[media_type]["schema"])).iter_errors(answer.json()))
        assert not faults, f"{operation['operationId']} {answer.status_code}: {faults[0].message} in {answer.text}"
