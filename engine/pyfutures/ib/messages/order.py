"""The order itself and its state: the objects inside the messages of `orders.py`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pyfutures.ib.messages.conditions import OrderCondition  # noqa: TC001 - for get_type_hints
from pyfutures.ib.messages.contracts import Tag  # noqa: TC001 - for get_type_hints

__all__ = ["Allocation", "Order", "OrderState"]


@dataclass(frozen=True, slots=True)
class Order:
    """An order; None and empty texts are "not said", prices are IB's quotes.

    `shares_allocation` is a slot without use in requests; gateways put `permId.0/account/quantity`
    there.
    """

    action: str = ""
    quantity: Decimal = Decimal(0)
    type: str = ""
    limit_price: float | None = None
    aux_price: float | None = None
    tif: str = ""
    oca_group: str = ""
    account: str = ""
    open_close: str = ""
    origin: int = 0
    order_ref: str = ""
    client_id: int = 0
    perm_id: int = 0
    transmit: bool = True
    parent_id: int = 0
    block_order: bool = False
    sweep_to_fill: bool = False
    display_size: int | None = 0
    trigger_method: int = 0
    outside_rth: bool = False
    hidden: bool = False
    leg_prices: tuple[float | None, ...] = ()
    combo_routing: tuple[Tag, ...] = ()
    shares_allocation: str = ""
    discretionary_amount: float = 0.0
    good_after: str = ""
    good_till: str = ""
    fa_group: str = ""
    fa_method: str = ""
    fa_percentage: str = ""
    fa_profile: str = ""
    model_code: str = ""
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1
    oca_type: int = 0
    rule_80a: str = ""
    settling_firm: str = ""
    all_or_none: bool = False
    min_quantity: int | None = None
    percent_offset: float | None = None
    auction_strategy: int = 0
    starting_price: float | None = None
    stock_ref_price: float | None = None
    delta: float | None = None
    stock_range_lower: float | None = None
    stock_range_upper: float | None = None
    override_percentage_constraints: bool = False
    volatility: float | None = None
    volatility_type: int | None = None
    delta_neutral_type: str = ""
    delta_neutral_aux_price: float | None = None
    delta_neutral_con_id: int = 0
    delta_neutral_settling_firm: str = ""
    delta_neutral_clearing_account: str = ""
    delta_neutral_clearing_intent: str = ""
    delta_neutral_open_close: str = ""
    delta_neutral_short_sale: bool = False
    delta_neutral_short_sale_slot: int = 0
    delta_neutral_designated_location: str = ""
    continuous_update: bool = False
    reference_price_type: int | None = None
    trail_stop_price: float | None = None
    trailing_percent: float | None = None
    basis_points: float | None = None
    basis_points_type: int | None = None
    scale_init_level_size: int | None = None
    scale_subs_level_size: int | None = None
    scale_price_increment: float | None = None
    scale_price_adjust_value: float | None = None
    scale_price_adjust_interval: int | None = None
    scale_profit_offset: float | None = None
    scale_auto_reset: bool = False
    scale_init_position: int | None = None
    scale_init_fill_quantity: int | None = None
    scale_random_percent: bool = False
    scale_table: str = ""
    active_start: str = ""
    active_stop: str = ""
    hedge_type: str = ""
    hedge_param: str = ""
    opt_out_smart_routing: bool = False
    clearing_account: str = ""
    clearing_intent: str = ""
    not_held: bool = False
    algo_strategy: str = ""
    algo_params: tuple[Tag, ...] = ()
    algo_id: str = ""
    what_if: bool = False
    misc_options: str = ""
    solicited: bool = False
    randomize_size: bool = False
    randomize_price: bool = False
    reference_con_id: int = 0
    pegged_change_decrease: bool = False
    pegged_change: float = 0.0
    reference_change: float = 0.0
    reference_exchange: str = ""
    conditions: tuple[OrderCondition, ...] = ()
    conditions_ignore_rth: bool = False
    conditions_cancel_order: bool = False
    adjusted_order_type: str = ""
    trigger_price: float | None = None
    limit_price_offset: float | None = None
    adjusted_stop_price: float | None = None
    adjusted_stop_limit_price: float | None = None
    adjusted_trailing_amount: float | None = None
    adjustable_trailing_unit: int = 0
    ext_operator: str = ""
    soft_dollar_name: str = ""
    soft_dollar_value: str = ""
    soft_dollar_display_name: str = ""
    cash_quantity: float | None = None
    mifid2_decision_maker: str = ""
    mifid2_decision_algo: str = ""
    mifid2_execution_trader: str = ""
    mifid2_execution_algo: str = ""
    no_auto_price_for_hedge: bool = False
    oms_container: bool = False
    discretionary_up_to_limit: bool = False
    price_management_algo: bool | None = None
    duration: int | None = None
    post_to_ats: int | None = None
    auto_cancel_parent: bool = False
    advanced_error_override: str = ""
    manual_order_time: str = ""
    min_trade_quantity: int | None = None
    min_compete_size: int | None = None
    compete_against_best_offset: float | None = None
    mid_offset_at_whole: float | None = None
    mid_offset_at_half: float | None = None
    customer_account: str = ""
    professional_customer: bool = False
    bond_accrued_interest: str = ""
    include_overnight: bool = False
    manual_order_indicator: int | None = None
    imbalance_only: bool = False
    submitter: str = ""
    auto_cancel_date: str = ""
    filled_quantity: Decimal | None = None
    ref_futures_con_id: int = 0
    shareholder: str = ""
    route_marketable_to_bbo: bool = False
    parent_perm_id: int = 0


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an order means for one account of an advisor."""

    account: str
    position: Decimal | None
    position_desired: Decimal | None
    position_after: Decimal | None
    desired: Decimal | None
    allowed: Decimal | None
    is_monetary: bool


@dataclass(frozen=True, slots=True)
class OrderState:
    """The state of an order, and with `what_if` what it would cost. None is unset."""

    status: str = ""
    init_margin_before: float | None = None
    maint_margin_before: float | None = None
    equity_before: float | None = None
    init_margin_change: float | None = None
    maint_margin_change: float | None = None
    equity_change: float | None = None
    init_margin_after: float | None = None
    maint_margin_after: float | None = None
    equity_after: float | None = None
    commission: float | None = None
    min_commission: float | None = None
    max_commission: float | None = None
    commission_currency: str = ""
    margin_currency: str = ""
    init_margin_before_outside: float | None = None
    maint_margin_before_outside: float | None = None
    equity_before_outside: float | None = None
    init_margin_change_outside: float | None = None
    maint_margin_change_outside: float | None = None
    equity_change_outside: float | None = None
    init_margin_after_outside: float | None = None
    maint_margin_after_outside: float | None = None
    equity_after_outside: float | None = None
    suggested_size: Decimal | None = None
    reject_reason: str = ""
    allocations: tuple[Allocation, ...] = ()
    warning: str = ""
    completed_time: str = ""
    completed_status: str = ""
