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
    ):
        made.add(method, address, f"{method} {address}")
    return made


def test_an_address_is_found_with_what_stands_for_its_names() -> None:
    assert routes().find("POST", "/v1/reports/7/grade") == ("POST /v1/reports/{report_id}/grade", {"report_id": "7"})
    assert routes().find("GET", "/v1/case/8/timeline") == ("GET /v1/{noun}/{id}/timeline", {"noun": "case", "id": "8"})


def test_an_address_without_names_goes_before_one_with() -> None:
    assert routes().find("GET", "/v1/alerts/stream") == ("GET /v1/alerts/stream", {})
    assert routes().find("GET", "/v1/alerts/bi") == ("GET /v1/alerts/{unit}", {"unit": "bi"})


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
