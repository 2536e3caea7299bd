"""The rows of an order on the wire, shared by its request and its two answers.

Placing, open and completed orders carry mostly the same fields in three different orders. Here each
field and each block has one name; `orders.py` arranges them. Where the request spells "unset" in
its own way (the official Python client does, and gateways accept it) a second row says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import (
    BOOL,
    DECIMAL,
    DECIMAL_OR_NONE,
    FLAG_OR_NONE,
    FLOAT,
    FLOAT_OR_NONE,
    FLOAT_OR_SPELLED,
    INT,
    INT_OR_NONE,
    INT_OR_SPELLED,
    MARGIN,
    TEXT,
    Kind,
)
from pyfutures.ib.layout import Custom, Field, Many, Values, When
from pyfutures.ib.messages.conditions import read_conditions, write_conditions
from pyfutures.ib.messages.contracts import TAG, Tag
from pyfutures.ib.messages.order import Allocation

if TYPE_CHECKING:
    from pyfutures.ib.layout import Row

_ORDER: Final = "order."


def rows[T](
    kind: Kind[T], names: str, *, since: int = 0, prefix: str = _ORDER
) -> tuple[Field[T], ...]:
    """Return a row of one kind for each of the words."""
    return tuple(Field(prefix + name, kind, since) for name in names.split())


def text(names: str, *, since: int = 0) -> tuple[Field[str], ...]:
    """Return rows of texts."""
    return rows(TEXT, names, since=since)


def flags(names: str, *, since: int = 0) -> tuple[Field[bool], ...]:
    """Return rows of flags."""
    return rows(BOOL, names, since=since)


def ints(names: str, *, since: int = 0) -> tuple[Field[int], ...]:
    """Return rows of integers."""
    return rows(INT, names, since=since)


def maybe_ints(names: str, *, since: int = 0) -> tuple[Field[int | None], ...]:
    """Return rows of integers that may be unset."""
    return rows(INT_OR_NONE, names, since=since)


def spelled_ints(names: str, *, since: int = 0) -> tuple[Field[int | None], ...]:
    """Return rows of integers whose unset is spelled out."""
    return rows(INT_OR_SPELLED, names, since=since)


def floats(names: str) -> tuple[Field[float], ...]:
    """Return rows of floats."""
    return rows(FLOAT, names)


def maybe_floats(names: str, *, since: int = 0) -> tuple[Field[float | None], ...]:
    """Return rows of floats that may be unset."""
    return rows(FLOAT_OR_NONE, names, since=since)


def spelled_floats(names: str) -> tuple[Field[float | None], ...]:
    """Return rows of floats whose unset is spelled out, as Python clients do."""
    return rows(FLOAT_OR_SPELLED, names)


def _is_peg_bench(kind: object) -> bool:
    return kind in {"PEG BENCH", "PEGBENCH"}


def _is_peg_best(kind: object) -> bool:
    return kind in {"PEG BEST", "PEGBEST"}


def _is_peg_mid(kind: object) -> bool:
    return kind in {"PEG MID", "PEGMID"}


def _is_ibkrats(exchange: object) -> bool:
    return exchange == "IBKRATS"


def _is_up_to_mid(offset: object) -> bool:
    return offset == float("inf")


def _is_positive(value: object) -> bool:
    return isinstance(value, float) and value > 0


QUANTITY: Final = Field("order.quantity", DECIMAL)
FA_PROFILE: Final = Field("order.fa_profile", TEXT, before=sv.NO_FA_PROFILE)


LEG_PRICES: Final = Values("order.leg_prices", FLOAT_OR_NONE)
COMBO_ROUTING: Final = Many("order.combo_routing", Tag, TAG)
PEG_BENCH: Final = When(
    "order.type",
    _is_peg_bench,
    (
        *ints("reference_con_id"),
        *flags("pegged_change_decrease"),
        *floats("pegged_change reference_change"),
        *text("reference_exchange"),
    ),
)
CONDITIONS: Final[tuple[Row, ...]] = (
    Custom("order.conditions", read_conditions, write_conditions),
    When("order.conditions", bool, flags("conditions_ignore_rth conditions_cancel_order")),
)
ALGO: Final[tuple[Row, ...]] = (
    *text("algo_strategy"),
    When("order.algo_strategy", bool, (Many("order.algo_params", Tag, TAG),)),
)
HEDGE: Final[tuple[Row, ...]] = (
    *text("hedge_type"),
    When("order.hedge_type", bool, text("hedge_param")),
)
SCALE: Final[tuple[Row, ...]] = (
    *maybe_ints("scale_init_level_size scale_subs_level_size"),
    *maybe_floats("scale_price_increment"),
    When(
        "order.scale_price_increment",
        _is_positive,
        (
            *maybe_floats("scale_price_adjust_value"),
            *maybe_ints("scale_price_adjust_interval"),
            *maybe_floats("scale_profit_offset"),
            *flags("scale_auto_reset"),
            *maybe_ints("scale_init_position scale_init_fill_quantity"),
            *flags("scale_random_percent"),
        ),
    ),
)
_VOLATILITY: Final[tuple[Row, ...]] = (
    *maybe_floats("volatility"),
    *maybe_ints("volatility_type"),
    *text("delta_neutral_type"),
    *maybe_floats("delta_neutral_aux_price"),
)
_HEDGE_ID: Final = ints("delta_neutral_con_id")
_HEDGE_CLEARING: Final = text(
    "delta_neutral_settling_firm delta_neutral_clearing_account delta_neutral_clearing_intent"
)
_HEDGE_SHORT: Final[tuple[Row, ...]] = (
    *flags("delta_neutral_short_sale"),
    *ints("delta_neutral_short_sale_slot"),
    *text("delta_neutral_designated_location"),
)
_UPDATES: Final[tuple[Row, ...]] = (
    *flags("continuous_update"),
    *maybe_ints("reference_price_type"),
)
#: The text `None`, which gateways send where there is no hedge, is not empty: the block follows it.
VOLATILITY: Final[tuple[Row, ...]] = (
    *_VOLATILITY,
    When(
        "order.delta_neutral_type",
        bool,
        (*_HEDGE_ID, *_HEDGE_CLEARING, *text("delta_neutral_open_close"), *_HEDGE_SHORT),
    ),
    *_UPDATES,
)
VOLATILITY_COMPLETED: Final[tuple[Row, ...]] = (
    *_VOLATILITY,
    When("order.delta_neutral_type", bool, (*_HEDGE_ID, *_HEDGE_SHORT)),
    *_UPDATES,
)

_OFFSETS: Final = maybe_floats("mid_offset_at_whole mid_offset_at_half")
#: In a request the offsets are there only for the order types that have them.
PEG_OFFSETS_REQUEST: Final[tuple[Row, ...]] = (
    When("contract.exchange", _is_ibkrats, maybe_ints("min_trade_quantity"), since=sv.PEG_OFFSETS),
    When(
        "order.type",
        _is_peg_best,
        (
            *maybe_ints("min_compete_size"),
            *maybe_floats("compete_against_best_offset"),
            When("order.compete_against_best_offset", _is_up_to_mid, _OFFSETS),
        ),
        since=sv.PEG_OFFSETS,
    ),
    When("order.type", _is_peg_mid, _OFFSETS, since=sv.PEG_OFFSETS),
)
PEG_OFFSETS: Final[tuple[Row, ...]] = (
    *maybe_ints("min_trade_quantity min_compete_size", since=sv.PEG_OFFSETS),
    *maybe_floats(
        "compete_against_best_offset mid_offset_at_whole mid_offset_at_half", since=sv.PEG_OFFSETS
    ),
)

_DECIMALS: Final = rows(
    DECIMAL_OR_NONE, "position position_desired position_after desired allowed", prefix=""
)
WHAT_IF: Final[tuple[Row, ...]] = (
    *flags("what_if"),
    Field("state.status", TEXT),
    *rows(
        MARGIN,
        "init_margin_before maint_margin_before equity_before init_margin_change "
        "maint_margin_change equity_change init_margin_after maint_margin_after equity_after",
        prefix="state.",
    ),
    *rows(FLOAT_OR_NONE, "commission min_commission max_commission", prefix="state."),
    Field("state.commission_currency", TEXT),
    Field("state.margin_currency", TEXT, since=sv.FULL_PREVIEW),
    *rows(
        FLOAT_OR_NONE,
        "init_margin_before_outside maint_margin_before_outside equity_before_outside "
        "init_margin_change_outside maint_margin_change_outside equity_change_outside "
        "init_margin_after_outside maint_margin_after_outside equity_after_outside",
        since=sv.FULL_PREVIEW,
        prefix="state.",
    ),
    Field("state.suggested_size", DECIMAL_OR_NONE, since=sv.FULL_PREVIEW),
    Field("state.reject_reason", TEXT, since=sv.FULL_PREVIEW),
    Many(
        "state.allocations",
        Allocation,
        (Field("account", TEXT), *_DECIMALS, Field("is_monetary", BOOL)),
        since=sv.FULL_PREVIEW,
    ),
    Field("state.warning", TEXT),
)
PRICE_MANAGEMENT: Final = Field("order.price_management_algo", FLAG_OR_NONE)
FILLED: Final = Field("order.filled_quantity", DECIMAL_OR_NONE)
