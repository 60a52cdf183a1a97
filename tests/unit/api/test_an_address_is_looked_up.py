"""An address is looked up, and finds what trying every pattern would find."""

from __future__ import annotations

from services.api.routing import Routes


def routes() -> Routes[str]:
    made: Routes[str] = Routes()
    for method, address in (
        ("GET", "/v1/reports"),
        ("POST", "/v1/reports"),
        ("GET", "/v1/reports/{report_id}"),
        ("POST", "/v1/reports/{report_id}/grade"),
        ("POST", "/v1/reports/{report_id}/withdraw"),
        ("GET", "/v1/alerts/stream"),
        ("GET", "/v1/alerts/{unit}"),
        ("GET", "/v1/{noun}/{id}/timeline"),
        ("GET", "/v1/log/tile/entries/{bundle:path}"),
        ("GET", "/v1/log/tile/{level}/{tile:path}"),
    ):
        made.add(method, address, f"{method} {address}")
    return made


def test_an_address_is_found_with_what_stands_for_its_names() -> None:
    assert routes().find("POST", "/v1/reports/7/grade") == ("POST /v1/reports/{report_id}/grade", {"report_id": "7"})
    assert routes().find("GET", "/v1/case/8/timeline") == ("GET /v1/{noun}/{id}/timeline", {"noun": "case", "id": "8"})


def test_an_address_without_names_goes_before_one_with() -> None:
    assert routes().find("GET", "/v1/alerts/stream") == ("GET /v1/alerts/stream", {})
    assert routes().find("GET", "/v1/alerts/bi") == ("GET /v1/alerts/{unit}", {"unit": "bi"})


def test_an_open_end_takes_all_that_follows_where_nothing_else_stands() -> None:
    tile, bundle = "GET /v1/log/tile/{level}/{tile:path}", "GET /v1/log/tile/entries/{bundle:path}"
    assert routes().find("GET", "/v1/log/tile/0/000") == (tile, {"level": "0", "tile": "000"})
    assert routes().find("GET", "/v1/log/tile/0/x001/067.p/5") == (tile, {"level": "0", "tile": "x001/067.p/5"})
    assert routes().find("GET", "/v1/log/tile/entries/x001/067") == (bundle, {"bundle": "x001/067"})
    assert routes().find("GET", "/v1/report/tile/timeline") is not None
    for path in ("/v1/log/tile/0/", "/v1/log/tile/0", "/v1/log/tile//000", "/v1/log/leaf/0/000", "/v1/log/tile"):
        assert routes().find("GET", path) is None, path


def test_nothing_is_found_by_another_method_or_one_segment_more_or_less() -> None:
    for method, path in (
        ("PUT", "/v1/reports"),
        ("GET", "/v1/reports/7/grade"),
        ("GET", "/v1/reports/"),
        ("GET", "/v1/reports/7/"),
        ("GET", "/v1"),
        ("GET", ""),
        ("GET", "/v1//8/timeline"),
    ):
        assert routes().find(method, path) is None, (method, path)
