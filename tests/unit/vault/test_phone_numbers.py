"""One number has one spelling, and a refused one is not quoted."""

from __future__ import annotations

import pytest

from events.refusals import BadInput
from services.vault.persons import phone_number


@pytest.mark.parametrize(
    "written", ["+25779000000", "+257 79 000 000", "00257 79-00-00-00", "+257 (79) 000.000", "\t+257/79000000\n"]
)
def test_spellings_of_one_number_are_one(written: str) -> None:
    assert phone_number(written) == "+25779000000"


@pytest.mark.parametrize(
    "written",
    ["", "79000000", "+0257790000", "+4912", "+2577900000012345", "+257 79 000 00x", "+٢٥٧٧٩٠٠٠٠٠٠", "+25779000000;1"],
)
def test_what_is_no_number_is_refused_and_not_quoted(written: str) -> None:
    with pytest.raises(BadInput, match="country's code") as refused:
        phone_number(written)
    if written:
        assert written not in str(refused.value)
