"""`intabaza alerts export` writes what the API answers, byte by byte, and says in a sentence what it cannot do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.bulletins import read_cap, verify_by_xmlsec
from tests.support.bulletins import said as said_in
from tests.support.doors import CONSUMER
from tests.support.told import Told


async def exported(told: Told, form: str, folder: Path, **extra: str) -> tuple[int, str]:
    stack = replace(told.doors.stack, extra=dict(told.doors.stack.extra) | extra)
    done = await asyncio.to_thread(stack.command, "alerts", "export", str(folder), "--format", form)
    return done.returncode, done.stdout + done.stderr


async def test_files_have_what_the_api_answers(told: Told, tmp_path: Path) -> None:
    listed = await told.pages(CONSUMER, "/v1/alerts", "alerts")
    for form in ("cap", "csv", "geojson"):
        code, written = await exported(told, form, tmp_path / form)
        assert (code, f"{len(listed)} alerts in {tmp_path / form}: all that was told before " in written) == (0, True)
    documents = sorted((tmp_path / "cap").glob("*.xml"))
    assert [one.stem for one in documents] == [
        f"{number:07}-{alert['id']}" for number, alert in enumerate(listed, start=1)
    ]
    for alert, one in zip(listed, documents, strict=True):
        assert one.read_bytes() == (await told.doors.get(CONSUMER, f"/v1/alerts/{alert['id']}/cap")).content
    assert {one.name for one in (tmp_path / "csv").iterdir()} == {"alerts.csv", "datapackage.json"}
    assert (tmp_path / "csv" / "alerts.csv").read_bytes() == (await told.doors.get(CONSUMER, "/v1/alerts.csv")).content
    package = orjson.loads((tmp_path / "csv" / "datapackage.json").read_bytes())
    hours = [datetime.fromisoformat(package.pop("up_to"))]
    assert package == await told.see(CONSUMER, "/v1/datapackage.json")
    collection = orjson.loads((tmp_path / "geojson" / "alerts.geojson").read_bytes())
    hours.append(datetime.fromisoformat(collection["up_to"]))
    hours.append(datetime.fromisoformat(orjson.loads((tmp_path / "cap" / "export.json").read_bytes())["up_to"]))
    last = datetime.fromisoformat(listed[-1]["time"])
    assert all(last - timedelta(hours=1) < hour for hour in hours)
    assert {(hour.minute, hour.second, hour.microsecond) for hour in hours} == {(0, 0, 0)}
    assert collection["features"] == (await told.see(CONSUMER, "/v1/collections/alerts/items", limit=1000))["features"]


async def test_what_cannot_be_written_or_read_is_told(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    code, said = await exported(told, "csv", file)
    assert (code, "cannot be written" in said) == (1, True), said
    assert file.read_text() == "mine"
    absent = str(tmp_path / "none.geojson")
    code, said = await exported(told, "cap", tmp_path / "cap", INTABAZA_BOUNDARIES_FILE=absent)
    assert (code, f"{absent} cannot be read" in said) == (1, True), said
    code, said = await exported(told, "cap", tmp_path / "cap", INTABAZA_CAP_SENDER="a, b")
    assert (code, "INTABAZA_CAP_SENDER: " in said) == (1, True), said
    assert list((tmp_path / "cap").iterdir()) == []


async def test_documents_have_the_boundaries_and_the_signature_of_the_settings(told: Told, tmp_path: Path) -> None:
    alert = (await told.pages(CONSUMER, "/v1/alerts", "alerts"))[0]
    (pcode,) = [one["code"] for one in alert["data"]["codes"] if one["scheme"] == "pcode"]
    ring = [[29.2, -3.2], [29.3, -3.2], [29.3, -3.1], [29.2, -3.2]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"ADM2_PCODE": pcode}, "geometry": shape}
    boundaries, key_file = tmp_path / "boundaries.geojson", tmp_path / "key.pem"
    boundaries.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
    key = ec.generate_private_key(ec.SECP256R1())
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = {
        "INTABAZA_BOUNDARIES_FILE": str(boundaries),
        "INTABAZA_BOUNDARIES_PROPERTY": "ADM2_PCODE",
        "INTABAZA_CAP_SIGNING_KEY_FILE": str(key_file),
        "INTABAZA_CAP_SENDER": "alerts.example.org",
        "INTABAZA_PUBLIC_URL": "https://alerts.example.org/",
    }
    assert (await exported(told, "cap", tmp_path / "cap", **settings))[0] == 0
    (file,) = (tmp_path / "cap").glob(f"*-{alert['id']}.xml")
    verify_by_xmlsec(file.read_bytes(), key)
    document = read_cap(file.read_bytes())
    assert set(said_in(document, "info/area/polygon")) == {"-3.2,29.2 -3.2,29.3 -3.1,29.3 -3.2,29.2"}
    assert said_in(document, "sender") == ["alerts.example.org"]
    web = f"https://alerts.example.org/v1/collections/alerts/items/{alert['id']}"
    assert set(said_in(document, "info/web")) == {web}
    assert (await exported(told, "geojson", tmp_path, **settings))[0] == 0
    features = orjson.loads((tmp_path / "alerts.geojson").read_bytes())["features"]
    (found,) = [one for one in features if one["id"] == alert["id"]]
    assert found["geometry"] == shape
