"""The three long rows of fields: an order placed, an open one, a completed one.

Checked field by field against the official client and decoder at every server version that changes
them (`tests/peers/test_ibapi.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import INT, TEXT
from pyfutures.ib.layout import Const, Field, When
from pyfutures.ib.messages import order_rows as rows
from pyfutures.ib.messages.contracts import C11, C12, DELTA_NEUTRAL, LONG_LEGS, is_bag
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

if TYPE_CHECKING:
    from pyfutures.ib.layout import Row

_ORDER_ID: Final = Field("order_id", INT)
# Requests for quotes came with 187 and went with 190; nobody fills them in.
RFQ_TEXT: Final = Const("", since=sv.RFQ, before=sv.NO_RFQ)
RFQ_INT: Final = Const("2147483647", since=sv.RFQ, before=sv.NO_RFQ)

PLACE_ORDER: Final[tuple[Row, ...]] = (
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
    When("contract.sec_type", is_bag, (LONG_LEGS, rows.LEG_PRICES, rows.COMBO_ROUTING)),
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
        "mifid2_decision_maker mifid2_decision_algo mifid2_execution_trader mifid2_execution_algo"
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
    RFQ_TEXT,
    RFQ_INT,
    *flags("include_overnight", since=sv.INCLUDE_OVERNIGHT),
    *spelled_ints("manual_order_indicator", since=sv.CME_TAGGING),
    *flags("imbalance_only", since=sv.IMBALANCE_ONLY),
)

OPEN_ORDER: Final[tuple[Row, ...]] = (
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
)

COMPLETED_ORDER: Final[tuple[Row, ...]] = (
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
)
