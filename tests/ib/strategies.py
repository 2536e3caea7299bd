"""Any message of any kind at any server version, drawn from its layout."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from pyfutures.ib.fields import UNSET_DECIMALS, UNSET_FLOAT, UNSET_INT
from pyfutures.ib.layout import Const, Custom, Field, Layout, Many, Maybe, Row, Run, Values, When
from pyfutures.ib.messages import REQUESTS, RESPONSES, conditions
from pyfutures.ib.messages.market import MIDPOINT_TICK, QUOTE_TICK, TRADE_TICK

ALL_REQUESTS = REQUESTS
ALL_RESPONSES = (*RESPONSES, TRADE_TICK, QUOTE_TICK, MIDPOINT_TICK)

# Where the value of a field decides what follows it.
_CHOICES: dict[str, list[object]] = {
    "contract.sec_type": ["FUT", "CONTFUT", "BAG", "FUND", ""],
    "contract.exchange": ["CME", "IBKRATS", ""],
    "order.type": ["LMT", "MKT", "PEG BENCH", "PEGBENCH", "PEG BEST", "PEG MID", "PEGMID", "TRAIL"],
    "order.compete_against_best_offset": [None, 0.25, float("inf")],
    "order.scale_price_increment": [None, 0.0, 0.25],
    "order.delta_neutral_type": ["", "None", "MKT"],
    "order.hedge_type": ["", "B"],
    "order.algo_strategy": ["", "Adaptive"],
}
JOIN = st.sampled_from("ao")
ASCII = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=8
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
INTS = st.integers(-(2**63), 2**63).filter(lambda n: n != UNSET_INT)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x != UNSET_FLOAT)
DECIMALS = st.decimals(-(10**12), 10**12, places=4).filter(lambda d: str(d) not in UNSET_DECIMALS)
SMALL = {
    "int": st.integers(0, 2**30),
    "float": st.integers(0, 10**8).map(lambda n: n / 16),
    "decimal": st.integers(0, 10**8).map(lambda n: Decimal(n) / 100),
    "flag": st.booleans(),
    "text": ASCII,
}
WIDE = {"int": INTS, "float": FLOATS, "decimal": DECIMALS, "flag": st.booleans(), "text": TEXT}
_CONDITIONS = (
    lambda k: st.builds(
        conditions.PriceCondition, k["int"], k["text"], st.booleans(), k["float"],
        st.integers(0, 8), JOIN,
    ),
    lambda k: st.builds(conditions.TimeCondition, st.booleans(), k["text"], JOIN),
    lambda k: st.builds(conditions.MarginCondition, st.booleans(), k["float"], JOIN),
    lambda k: st.builds(
        conditions.ExecutionCondition, k["text"], k["text"], k["text"], JOIN
    ),
    lambda k: st.builds(
        conditions.VolumeCondition, k["int"], k["text"], st.booleans(), k["int"],
        JOIN,
    ),
    lambda k: st.builds(
        conditions.PercentChangeCondition, k["int"], k["text"], st.booleans(), k["float"],
        JOIN,
    ),
)  # fmt: skip


def _value(draw: Any, row: Field[Any], kinds: dict[str, Any]) -> object:
    if row.path in _CHOICES:
        return draw(st.sampled_from(_CHOICES[row.path]))
    base, _, unset = row.kind.name.partition(" or ")
    strategy = kinds[base]
    return draw(st.none() | strategy if unset else strategy)


def _fill(  # noqa: C901 - a case for each kind of row
    draw: Any, rows: tuple[Row, ...], values: dict[str, object], kinds: dict[str, Any]
) -> None:
    for row in rows:
        match row:
            case Const():
                pass
            case Field():
                values[row.path] = _value(draw, row, kinds)
            case Run():
                values[row.path] = tuple(draw(kinds["text"]) for _ in range(row.length))
            case Values():
                count = draw(st.integers(0, 3))
                values[row.path] = tuple(
                    _value(draw, Field(row.path, row.kind), kinds) for _ in range(count)
                )
            case When():
                if row.test(values.get(row.path)):
                    _fill(draw, row.rows, values, kinds)
            case Many():
                count = draw(st.integers(0, 3))
                values[row.path] = tuple(_item(draw, row, kinds) for _ in range(count))
            case Maybe():
                values[row.path] = _item(draw, row, kinds) if draw(st.booleans()) else None
            case Custom():
                one = st.one_of([make(kinds) for make in _CONDITIONS])
                values[row.path] = tuple(draw(st.lists(one, max_size=3)))
            case _:
                raise AssertionError(row)


def _item(draw: Any, row: Many | Maybe, kinds: dict[str, Any]) -> object:
    values: dict[str, object] = {}
    _fill(draw, row.rows, values, kinds)
    return row.item(**values)


@st.composite
def messages(draw: Any, layout: Layout[Any], version: int, kinds: dict[str, Any] = WIDE) -> Any:
    """A message of this layout with only what this version has."""
    bound = layout.at(version)
    values: dict[str, object] = {}
    _fill(draw, bound.rows, values, kinds)
    if layout is TRADE_TICK:
        values["type"] = draw(st.sampled_from([1, 2]))
    return bound.cls(**(bound._assemble(values) if bound.parts else values))
