"""Orders on the wire: place, cancel, ask; open, status, completed; executions and commissions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import (
    BOOL,
    DECIMAL,
    FLOAT,
    FLOAT_OR_NONE,
    INT,
    INT_OR_NONE,
    INT_OR_SPELLED,
    MARGIN,
    TEXT,
)
from pyfutures.ib.layout import Const, Field, Layout, Values, When
from pyfutures.ib.messages import order_rows as rows
from pyfutures.ib.messages.base import Request, Response
from pyfutures.ib.messages.contracts import (
    C11,
    C12,
    DELTA_NEUTRAL,
    LONG_LEGS,
    PARTS,
    Contract,
    is_bag,
)
from pyfutures.ib.messages.order import Order, OrderState
from pyfutures.ib.messages.order_rows import (
    flags,
    floats,
    ints,
    maybe_floats,
    maybe_ints,
    spelled_floats,
    spelled_ints,
    text,
)

__all__ = [
    "CancelOrder",
    "CommissionReport",
    "CompletedOrder",
    "CompletedOrdersEnd",
    "Execution",
    "ExecutionDetails",
    "ExecutionDetailsEnd",
    "GlobalCancel",
    "OpenOrder",
    "OpenOrderEnd",
    "OrderBound",
    "OrderStatus",
    "PlaceOrder",
    "RequestAllOpenOrders",
    "RequestAutoOpenOrders",
    "RequestCompletedOrders",
    "RequestExecutions",
    "RequestOpenOrders",
]


@dataclass(frozen=True, slots=True)
class PlaceOrder(Request):
    """Place an order, or modify the one with this id."""

    order_id: int
    contract: Contract
    order: Order


@dataclass(frozen=True, slots=True)
class CancelOrder(Request):
    """Cancel an order."""

    order_id: int
    manual_time: str = ""
    ext_operator: str = ""
    manual_order_indicator: int | None = None


@dataclass(frozen=True, slots=True)
class GlobalCancel(Request):
    """Cancel all orders of the login, whoever placed them."""

    ext_operator: str = ""
    manual_order_indicator: int | None = None


@dataclass(frozen=True, slots=True)
class RequestOpenOrders(Request):
    """Ask for the open orders of this client id."""


@dataclass(frozen=True, slots=True)
class RequestAllOpenOrders(Request):
    """Ask for the open orders of all client ids."""


@dataclass(frozen=True, slots=True)
class RequestAutoOpenOrders(Request):
    """Bind orders made by hand to this client; client id 0 only."""

    bind: bool = True


@dataclass(frozen=True, slots=True)
class RequestCompletedOrders(Request):
    """Ask for orders that are done."""

    api_only: bool = False


@dataclass(frozen=True, slots=True)
class RequestExecutions(Request):
    """Ask for executions; below version 200 only those since midnight."""

    request_id: int
    client_id: int = 0
    account: str = ""
    time: str = ""
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""
    last_days: int | None = None
    dates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenOrder(Response):
    """An order that is open, or with `order.what_if` what it would cost."""

    order_id: int
    contract: Contract
    order: Order
    state: OrderState


@dataclass(frozen=True, slots=True)
class OpenOrderEnd(Response):
    """All open orders asked for have been sent."""


@dataclass(frozen=True, slots=True)
class OrderStatus(Response):
    """Where an order stands. May come twice, or not at all for a fast market order."""

    order_id: int
    status: str
    filled: Decimal
    remaining: Decimal
    average_price: float
    perm_id: int
    parent_id: int
    last_price: float
    client_id: int
    why_held: str = ""
    cap_price: float = 0.0


@dataclass(frozen=True, slots=True)
class OrderBound(Response):
    """An order made elsewhere got an id for this client."""

    perm_id: int
    client_id: int
    order_id: int


@dataclass(frozen=True, slots=True)
class CompletedOrder(Response):
    """An order that is done."""

    contract: Contract
    order: Order
    state: OrderState


@dataclass(frozen=True, slots=True)
class CompletedOrdersEnd(Response):
    """All completed orders asked for have been sent."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill. A correction has the same id with a higher last dotted part."""

    exec_id: str
    time: str
    account: str
    exchange: str
    side: str
    shares: Decimal
    price: float
    perm_id: int
    client_id: int
    liquidation: int
    cumulative: Decimal
    average_price: float
    order_ref: str = ""
    ev_rule: str = ""
    ev_multiplier: float | None = None
    model_code: str = ""
    last_liquidity: int = 0
    pending_price_revision: bool = False
    submitter: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionDetails(Response):
    """A fill of an order; `request_id` is -1 where nobody asked."""

    request_id: int
    order_id: int
    contract: Contract
    execution: Execution


@dataclass(frozen=True, slots=True)
class ExecutionDetailsEnd(Response):
    """All executions asked for have been sent."""

    request_id: int


@dataclass(frozen=True, slots=True)
class CommissionReport(Response):
    """What a fill cost; may come late, or only when executions are asked for."""

    exec_id: str
    commission: float | None
    currency: str
    realized_pnl: float | None = None
    bond_yield: float | None = None
    yield_redemption_date: int | None = None


_ID: Final = Field("request_id", INT)
_ORDER_ID: Final = Field("order_id", INT)
_V1: Final = Const("1")
_ORDER_PARTS: Final = {**PARTS, "order": Order}
_STATE_PARTS: Final = {**_ORDER_PARTS, "state": OrderState}
_INDICATOR: Final = Field("manual_order_indicator", INT_OR_SPELLED, since=sv.CME_TAGGING)
_OPERATOR: Final = Field("ext_operator", TEXT, since=sv.CME_TAGGING)
# Requests for quotes came with 187 and went with 190; nobody fills them in.
_RFQ_TEXT: Final = Const("", since=sv.RFQ, before=sv.NO_RFQ)
_RFQ_INT: Final = Const("2147483647", since=sv.RFQ, before=sv.NO_RFQ)

PLACE_ORDER: Final = Layout(
    PlaceOrder,
    3,
    (
        _ORDER_ID,
        *C12,
        Field("contract.sec_id_type", TEXT),
        Field("contract.sec_id", TEXT),
        *text("action"),
        rows.QUANTITY,
        *text("type"),
        *maybe_floats("limit_price aux_price"),
        *text("tif oca_group account open_close"),
        *ints("origin"),
        *text("order_ref"),
        *flags("transmit"),
        *ints("parent_id"),
        *flags("block_order sweep_to_fill"),
        *spelled_ints("display_size"),
        *ints("trigger_method"),
        *flags("outside_rth hidden"),
        When(
            "contract.sec_type", is_bag, (LONG_LEGS, rows.LEG_PRICES, rows.COMBO_ROUTING)
        ),
        *text("shares_allocation"),
        *floats("discretionary_amount"),
        *text("good_after good_till fa_group fa_method fa_percentage"),
        rows.FA_PROFILE,
        *text("model_code"),
        *ints("short_sale_slot"),
        *text("designated_location"),
        *ints("exempt_code oca_type"),
        *text("rule_80a settling_firm"),
        *flags("all_or_none"),
        *maybe_ints("min_quantity"),
        *maybe_floats("percent_offset"),
        Const("0"),  # electronic trade only
        Const("0"),  # firm quote only
        Const(""),  # cap on the national best bid and offer
        *ints("auction_strategy"),
        *maybe_floats("starting_price stock_ref_price delta stock_range_lower stock_range_upper"),
        *flags("override_percentage_constraints"),
        *rows.VOLATILITY,
        *maybe_floats("trail_stop_price trailing_percent"),
        *rows.SCALE,
        *text("scale_table active_start active_stop"),
        *rows.HEDGE,
        *flags("opt_out_smart_routing"),
        *text("clearing_account clearing_intent"),
        *flags("not_held"),
        DELTA_NEUTRAL,
        *rows.ALGO,
        *text("algo_id"),
        *flags("what_if"),
        *text("misc_options"),
        *flags("solicited randomize_size randomize_price"),
        rows.PEG_BENCH,
        *rows.CONDITIONS,
        *text("adjusted_order_type"),
        *spelled_floats(
            "trigger_price limit_price_offset adjusted_stop_price adjusted_stop_limit_price "
            "adjusted_trailing_amount"
        ),
        *ints("adjustable_trailing_unit"),
        *text("ext_operator soft_dollar_name soft_dollar_value"),
        *spelled_floats("cash_quantity"),
        *text(
            "mifid2_decision_maker mifid2_decision_algo mifid2_execution_trader "
            "mifid2_execution_algo"
        ),
        *flags("no_auto_price_for_hedge oms_container discretionary_up_to_limit"),
        rows.PRICE_MANAGEMENT,
        *spelled_ints("duration", since=sv.DURATION),
        *spelled_ints("post_to_ats", since=sv.POST_TO_ATS),
        *flags("auto_cancel_parent", since=sv.AUTO_CANCEL_PARENT),
        *text("advanced_error_override", since=sv.ADVANCED_REJECT),
        *text("manual_order_time", since=sv.MANUAL_ORDER_TIME),
        *rows.PEG_OFFSETS_REQUEST,
        *text("customer_account", since=sv.CUSTOMER_ACCOUNT),
        *flags("professional_customer", since=sv.PROFESSIONAL_CUSTOMER),
        _RFQ_TEXT,
        _RFQ_INT,
        *flags("include_overnight", since=sv.INCLUDE_OVERNIGHT),
        *spelled_ints("manual_order_indicator", since=sv.CME_TAGGING),
        *flags("imbalance_only", since=sv.IMBALANCE_ONLY),
    ),
    _ORDER_PARTS,
)

REQUESTS: Final = (
    PLACE_ORDER,
    Layout(
        CancelOrder,
        4,
        (
            Const("1", before=sv.CME_TAGGING),
            _ORDER_ID,
            Field("manual_time", TEXT, since=sv.MANUAL_ORDER_TIME),
            _RFQ_TEXT,
            _RFQ_TEXT,
            _RFQ_INT,
            _OPERATOR,
            _INDICATOR,
        ),
    ),
    Layout(GlobalCancel, 58, (Const("1", before=sv.CME_TAGGING), _OPERATOR, _INDICATOR)),
    Layout(RequestOpenOrders, 5, (_V1,)),
    Layout(RequestAllOpenOrders, 16, (_V1,)),
    Layout(RequestAutoOpenOrders, 15, (_V1, Field("bind", BOOL))),
    Layout(RequestCompletedOrders, 99, (Field("api_only", BOOL),)),
    Layout(
        RequestExecutions,
        7,
        (
            Const("3"),
            _ID,
            Field("client_id", INT),
            Field("account", TEXT),
            Field("time", TEXT),
            Field("symbol", TEXT),
            Field("sec_type", TEXT),
            Field("exchange", TEXT),
            Field("side", TEXT),
            Field("last_days", INT_OR_SPELLED, since=sv.EXECUTION_DAYS),
            Values("dates", TEXT, since=sv.EXECUTION_DAYS),
        ),
    ),
)

OPEN_ORDER: Final = Layout(
    OpenOrder,
    5,
    (
        _ORDER_ID,
        *C11,
        *text("action"),
        rows.QUANTITY,
        *text("type"),
        *maybe_floats("limit_price aux_price"),
        *text("tif oca_group account open_close"),
        *ints("origin"),
        *text("order_ref"),
        *ints("client_id perm_id"),
        *flags("outside_rth hidden"),
        *floats("discretionary_amount"),
        *text("good_after shares_allocation fa_group fa_method fa_percentage"),
        rows.FA_PROFILE,
        *text("model_code good_till rule_80a"),
        *maybe_floats("percent_offset"),
        *text("settling_firm"),
        *ints("short_sale_slot"),
        *text("designated_location"),
        *ints("exempt_code auction_strategy"),
        *maybe_floats("starting_price stock_ref_price delta stock_range_lower stock_range_upper"),
        *spelled_ints("display_size"),
        *flags("block_order sweep_to_fill all_or_none"),
        *maybe_ints("min_quantity"),
        *ints("oca_type"),
        Const("0"),  # electronic trade only
        Const("0"),  # firm quote only
        Const(""),  # cap on the national best bid and offer
        *ints("parent_id trigger_method"),
        *rows.VOLATILITY,
        *maybe_floats("trail_stop_price trailing_percent basis_points"),
        *maybe_ints("basis_points_type"),
        Field("contract.legs_text", TEXT),
        LONG_LEGS,
        rows.LEG_PRICES,
        rows.COMBO_ROUTING,
        *rows.SCALE,
        *rows.HEDGE,
        *flags("opt_out_smart_routing"),
        *text("clearing_account clearing_intent"),
        *flags("not_held"),
        DELTA_NEUTRAL,
        *rows.ALGO,
        *flags("solicited"),
        *rows.WHAT_IF,
        *flags("randomize_size randomize_price"),
        rows.PEG_BENCH,
        *rows.CONDITIONS,
        *text("adjusted_order_type"),
        # The stop price of a trail is there twice; this one counts in all decoders.
        *maybe_floats(
            "trigger_price trail_stop_price limit_price_offset adjusted_stop_price "
            "adjusted_stop_limit_price adjusted_trailing_amount"
        ),
        *ints("adjustable_trailing_unit"),
        *text("soft_dollar_name soft_dollar_value soft_dollar_display_name"),
        *maybe_floats("cash_quantity"),
        *flags("no_auto_price_for_hedge oms_container discretionary_up_to_limit"),
        rows.PRICE_MANAGEMENT,
        *maybe_ints("duration", since=sv.DURATION),
        *maybe_ints("post_to_ats", since=sv.POST_TO_ATS),
        *flags("auto_cancel_parent", since=sv.AUTO_CANCEL_PARENT),
        *rows.PEG_OFFSETS,
        *text("customer_account", since=sv.CUSTOMER_ACCOUNT),
        *flags("professional_customer", since=sv.PROFESSIONAL_CUSTOMER),
        *text("bond_accrued_interest", since=sv.BOND_INTEREST),
        *flags("include_overnight", since=sv.INCLUDE_OVERNIGHT),
        *text("ext_operator", since=sv.CME_TAGGING_OPEN_ORDER),
        *maybe_ints("manual_order_indicator", since=sv.CME_TAGGING_OPEN_ORDER),
        *text("submitter", since=sv.SUBMITTER),
        *flags("imbalance_only", since=sv.IMBALANCE_ONLY),
    ),
    _STATE_PARTS,
)

COMPLETED_ORDER: Final = Layout(
    CompletedOrder,
    101,
    (
        *C11,
        *text("action"),
        rows.QUANTITY,
        *text("type"),
        *maybe_floats("limit_price aux_price"),
        *text("tif oca_group account open_close"),
        *ints("origin"),
        *text("order_ref"),
        *ints("perm_id"),
        *flags("outside_rth hidden"),
        *floats("discretionary_amount"),
        *text("good_after fa_group fa_method fa_percentage"),
        rows.FA_PROFILE,
        *text("model_code good_till rule_80a"),
        *maybe_floats("percent_offset"),
        *text("settling_firm"),
        *ints("short_sale_slot"),
        *text("designated_location"),
        *ints("exempt_code"),
        *maybe_floats("starting_price stock_ref_price delta stock_range_lower stock_range_upper"),
        *spelled_ints("display_size"),
        *flags("sweep_to_fill all_or_none"),
        *maybe_ints("min_quantity"),
        *ints("oca_type trigger_method"),
        *rows.VOLATILITY_COMPLETED,
        *maybe_floats("trail_stop_price trailing_percent"),
        Field("contract.legs_text", TEXT),
        LONG_LEGS,
        rows.LEG_PRICES,
        rows.COMBO_ROUTING,
        *rows.SCALE,
        *rows.HEDGE,
        *text("clearing_account clearing_intent"),
        *flags("not_held"),
        DELTA_NEUTRAL,
        *rows.ALGO,
        *flags("solicited"),
        Field("state.status", TEXT),
        *flags("randomize_size randomize_price"),
        rows.PEG_BENCH,
        *rows.CONDITIONS,
        *maybe_floats("trail_stop_price limit_price_offset cash_quantity"),
        *flags("no_auto_price_for_hedge oms_container"),
        *text("auto_cancel_date"),
        rows.FILLED,
        *ints("ref_futures_con_id"),
        *flags("auto_cancel_parent"),
        *text("shareholder"),
        *flags("imbalance_only route_marketable_to_bbo"),
        *ints("parent_perm_id"),
        Field("state.completed_time", TEXT),
        Field("state.completed_status", TEXT),
        *rows.PEG_OFFSETS,
        *text("customer_account", since=sv.CUSTOMER_ACCOUNT),
        *flags("professional_customer", since=sv.PROFESSIONAL_CUSTOMER),
        *text("submitter", since=sv.SUBMITTER),
    ),
    _STATE_PARTS,
)

RESPONSES: Final = (
    OPEN_ORDER,
    Layout(OpenOrderEnd, 53, (_V1,)),
    Layout(
        OrderStatus,
        3,
        (
            _ORDER_ID,
            Field("status", TEXT),
            Field("filled", DECIMAL),
            Field("remaining", DECIMAL),
            Field("average_price", FLOAT),
            Field("perm_id", INT),
            Field("parent_id", INT),
            Field("last_price", FLOAT),
            Field("client_id", INT),
            Field("why_held", TEXT),
            Field("cap_price", FLOAT),
        ),
    ),
    Layout(OrderBound, 100, (Field("perm_id", INT), Field("client_id", INT), _ORDER_ID)),
    COMPLETED_ORDER,
    Layout(CompletedOrdersEnd, 102, ()),
    Layout(
        ExecutionDetails,
        11,
        (
            _ID,
            _ORDER_ID,
            *C11,
            Field("execution.exec_id", TEXT),
            Field("execution.time", TEXT),
            Field("execution.account", TEXT),
            Field("execution.exchange", TEXT),
            Field("execution.side", TEXT),
            Field("execution.shares", DECIMAL),
            Field("execution.price", FLOAT),
            Field("execution.perm_id", INT),
            Field("execution.client_id", INT),
            Field("execution.liquidation", INT),
            Field("execution.cumulative", DECIMAL),
            Field("execution.average_price", FLOAT),
            Field("execution.order_ref", TEXT),
            Field("execution.ev_rule", TEXT),
            Field("execution.ev_multiplier", FLOAT_OR_NONE),
            Field("execution.model_code", TEXT),
            Field("execution.last_liquidity", INT),
            Field("execution.pending_price_revision", BOOL, since=sv.PENDING_PRICE_REVISION),
            Field("execution.submitter", TEXT, since=sv.SUBMITTER),
        ),
        {**PARTS, "execution": Execution},
    ),
    Layout(ExecutionDetailsEnd, 55, (_V1, _ID)),
    Layout(
        CommissionReport,
        59,
        (
            _V1,
            Field("exec_id", TEXT),
            Field("commission", MARGIN),
            Field("currency", TEXT),
            Field("realized_pnl", MARGIN),
            Field("bond_yield", MARGIN),
            Field("yield_redemption_date", INT_OR_NONE),
        ),
    ),
)
