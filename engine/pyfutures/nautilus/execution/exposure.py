"""Positions as limits and watch need them: what IB said at the start, and every fill since.

Positions of IB come when they like; fills come at once. So a position is the first that was told
and the sum of the executions since. Where IB's position differs and stays so, something happened
that no execution told: a trade of another client, a settlement. Executions are asked for then, and
if they do not explain it, the position itself is reported to the node.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.ib.failures import RequestError
from pyfutures.ib.messages.account import Position, PositionEnd
from pyfutures.nautilus.execution.reports import position_report

if TYPE_CHECKING:
    from pyfutures.ib.clock import Timer
    from pyfutures.nautilus.execution.client import FuturesExecutionClient

__all__ = ["Exposure"]

_ZERO: Final = Decimal(0)
_SETTLE: Final = 2.0  # seconds in which executions and positions come together


class Exposure:
    """What an account holds. Part of the execution client.

    Parameters
    ----------
    client
        The execution client.

    """

    def __init__(self, client: FuturesExecutionClient) -> None:
        self._client = client
        self._ib = client.link.client
        self._base: dict[int, Decimal] = {}
        self._told: dict[int, Position] = {}
        self._timer: Timer | None = None
        self.unexplained = 0

    async def begin(self) -> None:
        """Ask what is held now.

        Raises
        ------
        RequestError
            If IB does not say.

        """
        rows = await self._ib.account.positions()
        since = self._executed()
        self._told = {
            row.contract.con_id: row for row in rows if row.account == self._client.account
        }
        self._base = {
            con_id: self._told[con_id].position if con_id in self._told else _ZERO
            for con_id in {*self._told, *since}
        }
        for con_id, total in since.items():
            self._base[con_id] -= total

    def _executed(self) -> dict[int, Decimal]:
        return {
            con_id: total
            for (account, con_id), total in self._ib.orders.positions().items()
            if account == self._client.account
        }

    def held(self) -> dict[int, Decimal]:
        """Return positions by the broker's number of the contract."""
        found = dict(self._base)
        for con_id, total in self._executed().items():
            found[con_id] = found.get(con_id, _ZERO) + total
        return found

    def hear(self, row: Position | PositionEnd) -> None:
        """Take a position of IB in."""
        if isinstance(row, Position) and row.account == self._client.account:
            self._told[row.contract.con_id] = row
            self.settle()

    def settle(self) -> None:
        """Compare positions a while after the last news of them."""
        self.close()
        self._timer = self._ib.clock.call_later(_SETTLE, self._compare)

    def close(self) -> None:
        """Stop waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _differences(self) -> list[Position]:
        held = self.held()
        return [
            row for con_id, row in self._told.items() if row.position != held.get(con_id, _ZERO)
        ]

    def _compare(self) -> None:
        self._timer = None
        if not self._differences():
            return
        if self._client.is_settling or not self._ib.is_ready:
            self.settle()
            return
        self._client.create_task(self._explain(), log_msg="question for a position")

    async def _explain(self) -> None:
        try:
            await self._ib.orders.executions()
            await self._ib.clock.sleep(_SETTLE)
            await self._refresh()
            if self._client.is_settling:
                self.settle()
                return
            for row in self._differences():
                await self._report(row)
        except RequestError as error:
            self._client.log.warning(f"positions: {error}")
            self.settle()

    async def _refresh(self) -> None:
        # The rows come by `hear`, in order with executions: by now the answer may be out of date.
        await self._ib.account.positions()

    async def _report(self, row: Position) -> None:
        # Loaded first: what IB does not answer for now is reported when it does.
        provider = self._client.link.provider
        listings = await provider.load_con_ids([row.contract], required=False)
        con_id, held = row.contract.con_id, self.held()
        was = held.get(con_id, _ZERO)
        if row.position == was:
            return  # meanwhile a fill explained it
        self.unexplained += 1
        self._base[con_id] = self._base.get(con_id, _ZERO) + row.position - was
        for listing in listings:
            self._client.log.error(
                f"{listing.id}: IB holds {row.position}, orders explain {was}; IB is right"
            )
            self._client.report_position(
                position_report(
                    listing, row.position, row.average_cost,
                    account_id=self._client.account_id, now=self._client.now,
                )
            )  # fmt: skip
