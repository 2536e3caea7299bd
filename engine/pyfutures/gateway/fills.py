"""Executions and their commissions: recorded once, told now and whenever they are asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.config import LastTradeForm
from pyfutures.gateway.contracts import Instrument
from pyfutures.gateway.names import ib_zone
from pyfutures.ib import messages as m
from pyfutures.ib.times import zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.orders import Working

__all__ = ["Fill", "Fills"]

_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution as it is told, when it was, and what it cost (None for a spread as a whole)."""

    ns: int
    order: Working
    details: m.ExecutionDetails
    report: m.CommissionReport | None


class Fills:
    """The executions of the login.

    Parameters
    ----------
    gateway
        Whose they are.
    tell
        Tells an order's client.

    """

    def __init__(self, gateway: Gateway, tell: Callable[..., None]) -> None:
        self._gateway = gateway
        self._tell = tell
        self._number = 0
        self.all: list[Fill] = []

    def record(self, order: Working, size: int, price: int) -> list[m.CommissionReport]:
        """Take note of a fill and tell it; return the commissions, which are told later."""
        self._number += 1
        base = f"0000e0d5.{self._number:08x}"
        signed = size * order.terms.side
        if isinstance(order.what, Instrument):
            return [self._leg(order, order.what, signed, price, f"{base}.01.01")]
        # A spread is told as a whole and leg by leg; the second leg's price makes the difference.
        self._note(order, order.what.spelled(), signed, price, f"{base}.01.01", None, whole=True)
        (first, sign), (second, _) = order.what.legs
        quote = self._gateway.market.quote(first, self._gateway.timeline.now)
        near = 0 if quote is None else quote.bid if quote.last is None else quote.last
        far = near - price if sign > 0 else near + price
        return [
            self._leg(order, first, signed * sign, near, f"{base}.02.01"),
            self._leg(order, second, -signed * sign, far, f"{base}.03.01"),
        ]

    def _leg(
        self, order: Working, what: Instrument, signed: int, price: int, exec_id: str
    ) -> m.CommissionReport:
        gateway = self._gateway
        fee = gateway.config.fee(what.currency) * abs(signed)
        gained = gateway.accounts.fill(order.account, what, signed, price, fee)
        report = m.CommissionReport(
            exec_id, float(fee), what.currency, None if gained is None else round(gained, 6)
        )
        whole = isinstance(order.what, Instrument)
        self._note(order, what.spelled(), signed, price, exec_id, report, whole=whole)
        account = gateway.accounts.get(order.account)
        if account is not None:
            gateway.accounts.changed(order.account, account.holdings[what.con_id])
        return report

    def _note(  # noqa: PLR0913, PLR0917 - the parts of an execution
        self,
        order: Working,
        contract: m.Contract,
        signed: int,
        price: int,
        exec_id: str,
        report: m.CommissionReport | None,
        *,
        whole: bool,
    ) -> None:
        quoted = order.what.quote(price)
        execution = m.Execution(
            exec_id=exec_id,
            time=self._time(order),
            account=order.account,
            exchange=order.what.exchange,
            side="BOT" if signed > 0 else "SLD",
            shares=Decimal(abs(signed)),
            price=quoted,
            perm_id=order.perm_id,
            client_id=order.client_id,
            liquidation=0,
            cumulative=Decimal(order.filled if whole else abs(signed)),
            average_price=order.average if whole else quoted,
            order_ref=order.order.order_ref,
            last_liquidity=2,
            submitter=order.account,
        )
        details = m.ExecutionDetails(-1, order.order_id, contract, execution)
        self.all.append(Fill(self._gateway.timeline.now, order, details, report))
        del self.all[:-_KEPT]
        self._tell(order, details)

    def _time(self, order: Working) -> str:
        config, now = self._gateway.config, self._gateway.timeline.now // SECOND
        form = config.last_trade_form
        if form is LastTradeForm.UTC:
            return f"{dt.datetime.fromtimestamp(now, dt.UTC):%Y%m%d-%H:%M:%S}"
        if form is LastTradeForm.INSTRUMENT:
            where = order.what.hours.zone
            return f"{dt.datetime.fromtimestamp(now, where):%Y%m%d %H:%M:%S} {ib_zone(where.key)}"
        local = dt.datetime.fromtimestamp(now, zone(config.login_zone))
        if form is LastTradeForm.DATE:  # what old gateways did
            return f"{local:%Y%m%d  %H:%M:%S}"
        return f"{local:%Y%m%d %H:%M:%S} {config.login_zone}"

    def correct(self, exec_id: str, price: int) -> m.ExecutionDetails | None:
        """Correct a fill's price: the same id with a higher last part replaces it; None if unknown.

        Positions and cash stay as they are: at IB the correction comes first, the money later.
        """
        found = next((f for f in self.all if f.details.execution.exec_id == exec_id), None)
        if found is None:
            return None
        head, _, last = exec_id.rpartition(".")
        execution = replace(
            found.details.execution, exec_id=f"{head}.{int(last) + 1:02d}",
            price=found.order.what.quote(price),
        )  # fmt: skip
        details = replace(found.details, execution=execution)
        report = found.report and replace(found.report, exec_id=execution.exec_id)
        self.all.append(Fill(self._gateway.timeline.now, found.order, details, report))
        self._tell(found.order, details)
        return details
