"""Currencies by their ISO 4217 codes, and the one that was meant."""

from __future__ import annotations

from typing import Final

from pyfutures.specs.words import meant

__all__ = ["CODES", "hint"]

#: What futures are mostly quoted in: a slip is taken for one of these.
_USUAL: Final = (
    "AUD BRL CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN MYR NOK NZD PLN RUB SEK"
    " SGD THB TRY TWD USD ZAR"
)
_OTHERS: Final = (
    "AED AFN ALL AMD AOA ARS AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BSD BTN BWP BYN BZD CDF CLF"
    " CLP COP CRC CUP CVE DJF DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP GMD GNF GTQ GYD HNL HTG IDR"
    " IQD IRR ISK JMD JOD KES KGS KHR KMF KPW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MZN NAD NGN NIO NPR OMR PAB PEN PGK PHP PKR PYG QAR RON RSD RWF"
    " SAR SBD SCR SDG SHP SLE SOS SRD SSP STN SVC SYP SZL TJS TMT TND TOP TTD TZS UAH UGX UYU UZS"
    " VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZMW ZWG"
)
_MEANT: Final = frozenset(_USUAL.split())
#: Those of ISO 4217 (six-group.com, list one) that are money in use, and the offshore renminbi.
CODES: Final = _MEANT | frozenset(_OTHERS.split())
#: What price lists call a hundredth of a currency.
_HUNDREDTHS: Final = {"USX": "USD", "GBX": "GBP", "EUX": "EUR", "ZAC": "ZAR", "ILA": "ILS"}


def hint(code: str) -> str:
    """Return what to write instead of a code that is no currency."""
    if whole := _HUNDREDTHS.get(code):
        return f"write `{whole}`; where IB quotes in hundredths, say `price_magnifier: 100` in `ib`"
    mixed = [usual for usual in sorted(_MEANT) if sorted(usual) == sorted(code)]
    if close := mixed[0] if mixed else meant(code, _MEANT):
        return f"did you mean `{close}`?"
    return "write an ISO 4217 code, such as `USD`"
