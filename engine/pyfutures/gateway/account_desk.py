"""Answers about accounts: positions, summaries, updates, profit and loss."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.accounts import SUMMARY_TAGS
from pyfutures.gateway.clock import SECOND
from pyfutures.gateway.session import Session, handles
from pyfutures.ib import messages as m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyfutures.gateway.accounts import Holding

__all__ = ["tell_change", "tell_values"]

_SUMMARIES: Final = 2  # at once
_MOST: Final = 50  # subscriptions of any other kind
_LEDGER: Final = ("CashBalance", "TotalCashBalance", "NetLiquidationByCurrency", "RealizedPnL",
                  "UnrealizedPnL", "FuturesPNL", "ExchangeRate", "Currency")  # fmt: skip


def _cost(session: Session, holding: Holding) -> float:
    return holding.cost(with_fees=session.gateway.config.commission_in_cost)


def _named(session: Session, name: str) -> list[str]:
    """Return the accounts that a request names: one of the login, or all."""
    names = session.gateway.accounts.names()
    return [own for own in names if name in {"", "All", own}]


def _has_room(session: Session, about: int, asked: Mapping[int, object]) -> bool:
    """Whether one more subscription of a kind is served; else say that there are too many."""
    if about in asked or len(asked) < _MOST:
        return True
    session.error(about, 322, "Error processing request.-'ct' : cause - Too many subscriptions")
    return False


# Positions


def _position(session: Session, name: str, holding: Holding) -> m.Position:
    contract = holding.what.spelled(exchange=False)
    return m.Position(name, contract, Decimal(holding.position), _cost(session, holding))


def _position_multi(session: Session, about: int, name: str, holding: Holding) -> m.PositionMulti:
    contract, size = holding.what.spelled(exchange=False), Decimal(holding.position)
    return m.PositionMulti(about, name, contract, size, _cost(session, holding))


@handles(m.RequestPositions)
def _positions(session: Session, _: m.RequestPositions) -> None:
    session.subscriptions.positions = True
    for name, holding in session.gateway.accounts.holdings():
        session.send(_position(session, name, holding))
    session.send(m.PositionEnd())


@handles(m.CancelPositions)
def _cancel_positions(session: Session, _: m.CancelPositions) -> None:
    session.subscriptions.positions = False


@handles(m.RequestPositionsMulti)
def _positions_multi(session: Session, request: m.RequestPositionsMulti) -> None:
    about, account = request.request_id, request.account
    if not _named(session, account):
        session.invalid(about, "cG", f"Invalid account code {account[:40]}")
        return
    if not _has_room(session, request.request_id, session.subscriptions.positions_multi):
        return
    session.subscriptions.positions_multi[about] = account
    for name, holding in session.gateway.accounts.holdings(account):
        session.send(_position_multi(session, about, name, holding))
    session.send(m.PositionMultiEnd(about))


@handles(m.CancelPositionsMulti)
def _cancel_positions_multi(session: Session, request: m.CancelPositionsMulti) -> None:
    session.subscriptions.positions_multi.pop(request.request_id, None)


# Summaries


def _summary(session: Session, about: int, tags: tuple[str, ...], *, end: bool = False) -> None:
    accounts = session.gateway.accounts
    for name in accounts.names():
        values = accounts.values(name)
        for tag in tags:
            if tag.startswith("$LEDGER"):
                for key, value, currency in _ledger(session, name):
                    session.send(m.AccountSummary(about, name, key, value, currency))
            elif tag in values:
                row = m.AccountSummary(about, name, tag, values[tag], accounts.currency(tag))
                session.send(row)
    if end:
        session.send(m.AccountSummaryEnd(about))


@handles(m.RequestAccountSummary)
def _account_summary(session: Session, request: m.RequestAccountSummary) -> None:
    about, asked = request.request_id, session.subscriptions.summaries
    if about not in asked and len(asked) >= _SUMMARIES:
        text = "Error processing request.-'cy' : cause - Maximum number of account summary requests"
        session.error(about, 322, f"{text} exceeded")
        return
    tags = tuple(tag.strip() for tag in request.tags.split(",") if tag.strip())
    if not tags:
        session.invalid(about, "cy", "No tags are named")
        return
    asked[about] = SUMMARY_TAGS if tags == ("All",) else tags
    _summary(session, about, asked[about], end=True)
    session.gateway.accounts.keep_fresh()


@handles(m.CancelAccountSummary)
def _cancel_summary(session: Session, request: m.CancelAccountSummary) -> None:
    session.subscriptions.summaries.pop(request.request_id, None)


# Updates


def _ledger(session: Session, name: str) -> list[tuple[str, str, str]]:
    """Return the values that are told by currency; all is in the base currency here."""
    gateway = session.gateway
    account = gateway.accounts.get(name)
    if account is None:
        return []
    base = gateway.config.currency
    margins = gateway.accounts.margins(name)
    unrealized = margins.equity - account.cash
    figures = {
        "CashBalance": account.cash,
        "TotalCashBalance": account.cash,
        "NetLiquidationByCurrency": margins.equity,
        "RealizedPnL": account.realized,
        "UnrealizedPnL": unrealized,
        "FuturesPNL": account.realized + unrealized,
    }
    rows = [
        (key, f"{value:.2f}", currency)
        for currency in ("BASE", base)
        for key, value in figures.items()
    ]
    return [*rows, ("ExchangeRate", "1.00", base), ("Currency", base, base)]


def _values(session: Session, name: str) -> list[tuple[str, str, str]]:
    accounts = session.gateway.accounts
    rows = [("AccountCode", name, ""), ("AccountReady", "true", "")]
    rows += [(tag, value, accounts.currency(tag)) for tag, value in accounts.values(name).items()]
    return rows + _ledger(session, name)


def _portfolio(session: Session, name: str, holding: Holding) -> m.PortfolioValue:
    gateway, what = session.gateway, holding.what
    mark = gateway.accounts.mark(what)
    return m.PortfolioValue(
        replace(what.spelled(exchange=False), primary_exchange=what.exchange),
        Decimal(holding.position),
        what.quote(mark),
        what.money(mark) * holding.position,
        _cost(session, holding),
        holding.unrealized(mark),
        holding.realized,
        name,
    )


def _update(session: Session, name: str) -> None:
    gateway = session.gateway
    for key, value, currency in _values(session, name):
        session.send(m.AccountValue(key, value, currency, name))
    for _, holding in gateway.accounts.holdings(name):
        session.send(_portfolio(session, name, holding))
    clock = dt.datetime.fromtimestamp(gateway.timeline.now // SECOND, dt.UTC)
    session.send(m.AccountTime(f"{clock:%H:%M}"))


@handles(m.RequestAccountUpdates)
def _updates(session: Session, request: m.RequestAccountUpdates) -> None:
    if not request.subscribe:
        if session.subscriptions.updates is not None:
            session.subscriptions.updates = None
            session.error(-1, 2100)
        return
    names = session.gateway.accounts.names()
    name = request.account or names[0]
    if name not in names:
        session.invalid(-1, "cx", f"Invalid account code '{name[:40]}'.")
        return
    session.subscriptions.updates = name
    _update(session, name)
    session.send(m.AccountDownloadEnd(name))
    session.gateway.accounts.keep_fresh()


@handles(m.RequestAccountUpdatesMulti)
def _updates_multi(session: Session, request: m.RequestAccountUpdatesMulti) -> None:
    about = request.request_id
    names = _named(session, request.account)
    if not names:
        session.invalid(about, "cH", f"Invalid account code {request.account[:40]}")
        return
    if not _has_room(session, request.request_id, session.subscriptions.updates_multi):
        return
    session.subscriptions.updates_multi[about] = request.account
    for name in names:
        for key, value, currency in _values(session, name):
            session.send(
                m.AccountUpdateMulti(about, name, request.model_code, key, value, currency)
            )
    session.send(m.AccountUpdateMultiEnd(about))


@handles(m.CancelAccountUpdatesMulti)
def _cancel_updates_multi(session: Session, request: m.CancelAccountUpdatesMulti) -> None:
    session.subscriptions.updates_multi.pop(request.request_id, None)


# Profit and loss


def _pnl(session: Session, about: int, name: str) -> None:
    account = session.gateway.accounts.get(name)
    if account is None:
        return
    unrealized = session.gateway.accounts.margins(account.name).equity - account.cash
    realized = account.realized
    session.send(m.Pnl(about, unrealized + realized, unrealized, realized))


def _pnl_single(session: Session, about: int, name: str, con_id: int) -> None:
    accounts = session.gateway.accounts
    account = accounts.get(name)
    holding = None if account is None else account.holdings.get(con_id)
    if holding is None:
        session.send(m.PnlSingle(about, Decimal(0), None, None, None, None))
        return
    mark = accounts.mark(holding.what)
    gained, realized = holding.unrealized(mark), holding.realized
    worth = holding.what.money(mark) * holding.position
    row = m.PnlSingle(about, Decimal(holding.position), gained + realized, gained, realized, worth)
    session.send(row)


@handles(m.RequestPnl)
def _request_pnl(session: Session, request: m.RequestPnl) -> None:
    if session.gateway.accounts.get(request.account) is None:
        session.invalid(request.request_id, "cI", f"Invalid account code {request.account[:40]}")
        return
    if not _has_room(session, request.request_id, session.subscriptions.pnl):
        return
    session.subscriptions.pnl[request.request_id] = request.account
    _pnl(session, request.request_id, request.account)


@handles(m.CancelPnl)
def _cancel_pnl(session: Session, request: m.CancelPnl) -> None:
    session.subscriptions.pnl.pop(request.request_id, None)


@handles(m.RequestPnlSingle)
def _request_pnl_single(session: Session, request: m.RequestPnlSingle) -> None:
    if session.gateway.accounts.get(request.account) is None:
        session.invalid(request.request_id, "cJ", f"Invalid account code {request.account[:40]}")
        return
    if not _has_room(session, request.request_id, session.subscriptions.pnl_single):
        return
    session.subscriptions.pnl_single[request.request_id] = (request.account, request.con_id)
    _pnl_single(session, request.request_id, request.account, request.con_id)


@handles(m.CancelPnlSingle)
def _cancel_pnl_single(session: Session, request: m.CancelPnlSingle) -> None:
    session.subscriptions.pnl_single.pop(request.request_id, None)


# What is told without being asked again


def tell_change(session: Session, name: str, holding: Holding) -> None:
    """Tell a client that a position changed, as far as it asked for that."""
    asked = session.subscriptions
    if asked.positions:
        session.send(_position(session, name, holding))
    for about, account in asked.positions_multi.items():
        if account in {"", name}:
            session.send(_position_multi(session, about, name, holding))
    if asked.updates == name:
        session.send(_portfolio(session, name, holding))
    tell_values(session)


def tell_values(session: Session) -> bool:
    """Tell a client the values of its accounts; whether it asked for any."""
    asked = session.subscriptions
    for about, tags in asked.summaries.items():
        _summary(session, about, tags)
    if asked.updates is not None:
        _update(session, asked.updates)
    for about, account in asked.updates_multi.items():
        for name in _named(session, account):
            for key, value, currency in _values(session, name):
                session.send(m.AccountUpdateMulti(about, name, "", key, value, currency))
    for about, account in asked.pnl.items():
        _pnl(session, about, account)
    for about, (account, con_id) in asked.pnl_single.items():
        _pnl_single(session, about, account, con_id)
    return bool(asked.summaries or asked.updates or asked.updates_multi or asked.pnl)
