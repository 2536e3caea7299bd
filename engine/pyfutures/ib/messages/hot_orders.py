# mypy: disable-error-code="no-any-return"
# A blank is Any until it is declared to be a message.
"""Decoders by hand for orders' status, executions and commissions. The rules are in `hot.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pyfutures.ib import versions as sv
from pyfutures.ib.fields import UNSET_INT
from pyfutures.ib.messages.contracts import Contract
from pyfutures.ib.messages.executions import CommissionReport, Execution, ExecutionDetails
from pyfutures.ib.messages.hot_parts import HIGHEST, INT, INTS, LOWEST, SIZE, SIZES, blank, maybe
from pyfutures.ib.messages.orders import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.ib.messages.base import Response

    type Fields = list[str]

__all__ = ["order_decoders"]

_blank_status: Final = blank(OrderStatus)
_blank_contract: Final = blank(Contract)
_blank_execution: Final = blank(Execution)
_blank_details: Final = blank(ExecutionDetails)
_blank_commission: Final = blank(CommissionReport)


def _order_status(f: Fields) -> OrderStatus:
    status = _blank_status()
    status.average_price = average = float(f[5])
    status.last_price = last = float(f[8])
    status.cap_price = cap = float(f[11])
    if not LOWEST < average + last + cap < HIGHEST:
        raise ValueError(f[5])
    status.order_id = int(f[1])
    status.status = f[2]
    status.perm_id = int(f[6])
    status.why_held = f[10]
    try:
        status.filled = SIZES[f[3]]
        status.remaining = SIZES[f[4]]
        status.parent_id = INTS[f[7]]
        status.client_id = INTS[f[9]]
    except KeyError:
        status.filled = SIZE[f[3]]
        status.remaining = SIZE[f[4]]
        status.parent_id = INT[f[7]]
        status.client_id = INT[f[9]]
    status.__class__ = OrderStatus
    return status


def _execution(f: Fields, *, pending: bool = False, submitter: str = "") -> ExecutionDetails:
    contract = _blank_contract()
    contract.strike = maybe(f[7])
    contract.con_id = int(f[3])
    contract.symbol = f[4]
    contract.sec_type = f[5]
    contract.last_trade = f[6]
    contract.right = f[8]
    contract.multiplier = f[9]
    contract.exchange = f[10]
    contract.currency = f[11]
    contract.local_symbol = f[12]
    contract.trading_class = f[13]
    contract.last_trade_date = contract.primary_exchange = ""
    contract.include_expired = False
    contract.sec_id_type = contract.sec_id = contract.issuer_id = contract.legs_text = ""
    contract.legs = ()
    contract.delta_neutral = None
    contract.__class__ = Contract
    execution = _blank_execution()
    execution.price = price = float(f[20])
    execution.average_price = average = float(f[25])
    if not LOWEST < price + average < HIGHEST:
        raise ValueError(f[20])
    execution.exec_id = f[14]
    execution.time = f[15]
    execution.account = f[16]
    execution.exchange = f[17]
    execution.side = f[18]
    execution.shares = SIZE[f[19]]
    execution.perm_id = int(f[21])
    execution.client_id = INT[f[22]]
    execution.liquidation = INT[f[23]]
    execution.cumulative = SIZE[f[24]]
    execution.order_ref = f[26]
    execution.ev_rule = f[27]
    execution.ev_multiplier = maybe(f[28])
    execution.model_code = f[29]
    execution.last_liquidity = INT[f[30]]
    execution.pending_price_revision = pending
    execution.submitter = submitter
    execution.__class__ = Execution
    message = _blank_details()
    message.request_id = int(f[1])
    message.order_id = int(f[2])
    message.contract = contract
    message.execution = execution
    message.__class__ = ExecutionDetails
    return message


def _execution_178(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0)


def _execution_198(f: Fields) -> ExecutionDetails:
    return _execution(f, pending=int(f[31]) != 0, submitter=f[32])


def _commission(f: Fields) -> CommissionReport:
    day = int(f[7]) if f[7] else None
    report = _blank_commission()
    report.exec_id = f[2]
    report.commission = maybe(f[3])
    report.currency = f[4]
    report.realized_pnl = maybe(f[5])
    report.bond_yield = maybe(f[6])
    report.yield_redemption_date = None if day == UNSET_INT else day
    report.__class__ = CommissionReport
    return report


def order_decoders(version: int) -> dict[str, Callable[[Fields], Response]]:
    """Return the decoders of a server version, by the id as it stands on the wire."""
    execution: Callable[[Fields], Response] = _execution
    if version >= sv.SUBMITTER:
        execution = _execution_198
    elif version >= sv.PENDING_PRICE_REVISION:
        execution = _execution_178
    return {"3": _order_status, "11": execution, "59": _commission}
