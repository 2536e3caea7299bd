"""Currencies: those that the platform trades in are all known, and what is no money is not."""

from __future__ import annotations

import pytest
from nautilus_trader.model import currencies as platform
from nautilus_trader.model.objects import Currency

from pyfutures.specs.currencies import CODES, hint


def test_what_the_platform_counts_in_is_known():
    fiat = {
        name
        for name, value in vars(platform).items()
        if isinstance(value, Currency) and Currency.is_fiat(name)
    }
    assert len(fiat) > 20
    assert fiat <= CODES


def test_metals_funds_and_the_code_for_tests_are_none():
    # ISO 4217 has them as well: gold, IMF drawing rights, next-day dollars, testing, none at all.
    assert not CODES & {"XAU", "XDR", "USN", "XTS", "XXX"}


@pytest.mark.parametrize(
    ("code", "said"), [("UDS", "`USD`"), ("YPJ", "`JPY`"), ("ZAC", "`ZAR`"), ("EU1", "`EUR`")]
)
def test_the_one_that_was_meant(code, said):
    assert said in hint(code)
