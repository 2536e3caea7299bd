"""Error codes of the gateway: what each means and what a client does about it.

One table, used by the client (reactions), the simulated gateway (texts) and the docs. Codes without
a row are errors of the request they name: `lookup` says so, nothing is dropped. Code 162 has four
meanings and only its text tells which: ask `meaning`, not the table.

Sources: IB's table of message codes
(https://interactivebrokers.github.io/tws-api/message_codes.html) and its pages on order limitations
and historical limitations; where gateways behave differently, the reports named beside the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CODES", "Code", "Kind", "Reaction", "farm", "lookup", "meaning"]


class Kind(StrEnum):
    """What a code is about, hence who listens to it."""

    CONNECTION = "connection"  # the line between gateway and IB
    FARM = "farm"  # one data farm of IB
    SESSION = "session"  # our connection to the gateway
    REQUEST = "request"  # the request it names
    DATA = "data"  # the data subscription it names
    ORDER = "order"  # the order it names
    INFO = "info"  # nothing to do


class Reaction(StrEnum):
    """What a client does about a code."""

    IGNORE = "ignore"
    WARN = "warn"
    FAIL = "fail"  # the request failed, asking again will not help
    RETRY = "retry"  # the request failed, asking again later may help
    EMPTY = "empty"  # the answer is: nothing there
    STALE = "stale"  # mark feeds stale, hold orders and requests, keep the socket
    RESUBSCRIBE = "resubscribe"  # subscribe again and fill the gap
    VERIFY = "verify"  # check what still lives, fill gaps, reconcile executions
    DEGRADE = "degrade"  # mark the feeds of that farm stale
    RECOVER = "recover"  # if the farm was broken: subscribe again and fill the gap
    RECONNECT = "reconnect"
    BACK_OFF = "back off"  # the same client id again, more slowly each time
    GIVE_UP = "give up"  # a person has to do something
    REJECT = "reject"  # the order is dead
    CANCELLED = "cancelled"  # the order, or the request, is cancelled
    KEEP = "keep"  # the order lives on as it was


@dataclass(frozen=True, slots=True)
class Code:
    """One code. `text` is what the gateway says, with `{}` where it names something."""

    code: int
    kind: Kind
    reaction: Reaction
    text: str
    note: str = ""

    @property
    def is_error(self) -> bool:
        """Whether something failed; else it is a notice, even if it names a request or an order."""
        return self.reaction not in _NOTICES


_NOTICES: Final = frozenset(
    {
        Reaction.IGNORE,
        Reaction.WARN,
        Reaction.KEEP,
        Reaction.RECOVER,
        Reaction.DEGRADE,
        Reaction.VERIFY,
        Reaction.STALE,
    }
)

_C, _F, _S = Kind.CONNECTION, Kind.FARM, Kind.SESSION
_Q, _D, _O, _I = Kind.REQUEST, Kind.DATA, Kind.ORDER, Kind.INFO
_R = Reaction

_TABLE: Final = (
    # The line between the gateway and IB.
    Code(1100, _C, _R.STALE, "Connectivity between IB and Trader Workstation has been lost.",
         "also the nightly reset; start a timer, 1101 or 1102 should follow"),
    Code(1101, _C, _R.RESUBSCRIBE,
         "Connectivity between IB and Trader Workstation has been restored - data lost.",
         "subscribe with new ids; reconcile orders, executions and positions"),
    Code(1102, _C, _R.VERIFY,
         "Connectivity between IB and Trader Workstation has been restored - data maintained.",
         "bars kept up to date die silently all the same (nautilus_trader 3001)"),
    Code(1300, _C, _R.RECONNECT,
         "TWS socket port has been reset and this connection is being dropped. Please reconnect on "
         "the new port - {}"),
    Code(2110, _C, _R.STALE,
         "Connectivity between Trader Workstation and server is broken. It will be restored "
         "automatically.",
         "neither 1101 nor 1102 need follow: go by what arrives"),
    # Data farms, each by its name behind the colon.
    Code(2103, _F, _R.DEGRADE, "Market data farm connection is broken:{}"),
    Code(2104, _F, _R.RECOVER, "Market data farm connection is OK:{}"),
    Code(2105, _F, _R.DEGRADE, "HMDS data farm connection is broken:{}"),
    Code(2106, _F, _R.RECOVER, "HMDS data farm connection is OK:{}"),
    Code(2107, _F, _R.IGNORE,
         "HMDS data farm connection is inactive but should be available upon demand.{}"),
    Code(2108, _F, _R.IGNORE,
         "Market data farm connection is inactive but should be available upon demand.{}"),
    Code(2119, _F, _R.IGNORE, "Market data farm is connecting:{}"),
    Code(2157, _F, _R.DEGRADE, "Sec-def data farm connection is broken:{}"),
    Code(2158, _F, _R.RECOVER, "Sec-def data farm connection is OK:{}"),
    # Our connection to the gateway.
    Code(326, _S, _R.BACK_OFF,
         "Unable to connect as the client id is already in use. Retry with a unique client id.",
         "the gateway closes the socket; orders are seen by client id, so keep the id"),
    Code(501, _S, _R.IGNORE, "Already connected.", "made by client libraries, never on the wire"),
    Code(502, _S, _R.RECONNECT, "Couldn't connect to TWS.", "made by client libraries"),
    Code(503, _S, _R.GIVE_UP, "The TWS is out of date and must be upgraded.",
         "made by client libraries"),
    Code(504, _S, _R.RECONNECT, "Not connected", "made by client libraries"),
    Code(507, _S, _R.RECONNECT, "Bad message length", "made by client libraries"),
    Code(100, _S, _R.BACK_OFF, "Max rate of messages per second has been exceeded:{}",
         "50 a second; repeated, the gateway disconnects"),
    # Requests.
    Code(102, _Q, _R.FAIL, "Duplicate ticker ID.", "never use an id twice, across reconnects too"),
    Code(162, _Q, _R.FAIL, "Historical Market Data Service error message:{}", "see `meaning`"),
    Code(165, _I, _R.IGNORE, "Historical Market Data Service query message:{}"),
    Code(200, _Q, _R.FAIL, "No security definition has been found for the request",
         "final, but not in a reset window (Lean 3870)"),
    Code(320, _Q, _R.FAIL, "Server error when reading an API client request."),
    Code(321, _Q, _R.FAIL, "Error validating request.{}", "also orders to a read-only gateway"),
    Code(322, _Q, _R.FAIL, "Error processing request.{}", "also a request id in use"),
    Code(323, _Q, _R.RETRY, "Server error while processing the request."),
    Code(366, _Q, _R.IGNORE, "No historical data query found for ticker id:{}",
         "a cancel that came too late"),
    Code(2174, _Q, _R.WARN,
         "Warning: You submitted request with date-time attributes without explicit time zone."),
    Code(10285, _Q, _R.WARN, "Your API version does not support fractional size rules.",
         "server versions below 163"),
    Code(10314, _Q, _R.FAIL, "End Date/Time: The date, time, or time-zone entered is invalid.",
         "send yyyymmdd-hh:mm:ss, which is UTC"),
    Code(10339, _Q, _R.FAIL,
         "Setting end date/time for continuous future security type is not allowed.",
         "send an empty end"),
    # Subscriptions.
    Code(101, _D, _R.RETRY, "Max number of tickers has been reached.", "100 lines by default"),
    Code(300, _D, _R.IGNORE, "Can't find EId with tickerId:{}", "a cancel that came too late"),
    Code(316, _D, _R.RESUBSCRIBE, "Market depth data has been HALTED. Please re-subscribe."),
    Code(317, _D, _R.IGNORE,
         "Market depth data has been RESET. Please empty deep book contents before applying any "
         "new entries."),
    Code(354, _D, _R.FAIL, "Requested market data is not subscribed.{}"),
    Code(420, _D, _R.RETRY, "Invalid real-time query:{}", "pacing, or no permission"),
    Code(10089, _D, _R.FAIL,
         "Requested market data requires additional subscription for API. Delayed market data is "
         "available.{}"),
    Code(10090, _D, _R.WARN, "Part of requested market data is not subscribed.{}"),
    Code(10167, _D, _R.WARN,
         "Requested market data is not subscribed. Displaying delayed market data."),
    Code(10168, _D, _R.FAIL,
         "Requested market data is not subscribed. Delayed market data is not enabled."),
    Code(10182, _D, _R.RESUBSCRIBE, "Failed to request live updates (disconnected).",
         "ends bars that are kept up to date; subscribe when the farm is back"),
    Code(10186, _D, _R.FAIL,
         "Requested market data is not subscribed. Delayed market data is not available."),
    Code(10187, _Q, _R.FAIL, "Failed to request historical ticks:{}"),
    Code(10189, _D, _R.FAIL, "Failed to request tick-by-tick data:{}"),
    Code(10190, _D, _R.RETRY, "Max number of tick-by-tick requests has been reached."),
    Code(10197, _D, _R.RETRY, "No market data during competing live session",
         "comes in bursts; tell the user (Lean.Brokerages.InteractiveBrokers 140)"),
    Code(10225, _D, _R.RESUBSCRIBE,
         "Bust event occurred, current subscription is deactivated. Please resubscribe real-time "
         "bars immediately."),
    # Orders.
    Code(103, _O, _R.REJECT, "Duplicate order id"),
    Code(104, _O, _R.KEEP, "Can't modify a filled order"),
    Code(105, _O, _R.KEEP, "Order being modified does not match original order"),
    Code(106, _O, _R.REJECT, "Can't transmit order ID:{}"),
    Code(107, _O, _R.REJECT, "Can't transmit incomplete order"),
    Code(109, _O, _R.REJECT, "Price is out of the range defined by the Percentage setting"),
    Code(110, _O, _R.REJECT,
         "The price does not conform to the minimum price variation for this contract.",
         "of a modification: the order lives on unchanged (ib_insync 502)"),
    Code(135, _O, _R.KEEP, "Can't find order with id ={}"),
    Code(136, _O, _R.KEEP, "This order cannot be cancelled."),
    Code(161, _O, _R.KEEP, "Cancel attempted when order is not in a cancellable state.{}"),
    Code(201, _O, _R.REJECT, "Order rejected - reason:{}"),
    Code(202, _O, _R.CANCELLED, "Order Canceled - reason:{}",
         "by us, the exchange or the broker; with or without a status Cancelled, in either order"),
    Code(203, _O, _R.REJECT, "The security is not available or allowed for this account."),
    Code(387, _O, _R.REJECT,
         "Unsupported order type for this exchange and security type:{}"),
    Code(388, _O, _R.REJECT, "Order size is smaller than the minimum requirement:{}"),
    Code(399, _O, _R.WARN, "Order Message:{}", "often: will be placed at the open"),
    Code(404, _O, _R.WARN, "Shares for this order are not immediately available for short sale."),
    Code(434, _O, _R.REJECT, "The order size cannot be zero"),
    Code(10147, _O, _R.KEEP, "OrderId {} that needs to be cancelled is not found."),
    Code(10148, _O, _R.KEEP,
         "OrderId {} that needs to be cancelled cannot be cancelled, state: {}"),
    Code(10289, _O, _R.REJECT, "You must enable trading permissions for this product."),
    Code(10293, _O, _R.REJECT, "You do not have permission to trade this product."),
    Code(10318, _O, _R.REJECT, "This order doesn't support fractional quantity trading:{}"),
    Code(10349, _O, _R.WARN, "Order TIF was set to DAY based on order preset.",
         "looks like an error, but the order lives (pysystemtrade 1580)"),
    # Notices.
    Code(2100, _I, _R.WARN, "API client has been unsubscribed from account data."),
    Code(2101, _I, _R.WARN, "Unable to subscribe to account as the following clients are subscribed"
         " to a different account."),
    Code(2102, _I, _R.WARN, "Unable to modify this order as it is still being processed."),
    Code(2109, _O, _R.WARN,
         'Order Event Warning: Attribute "Outside Regular Trading Hours" is ignored based on the '
         "order type and destination."),
    Code(2137, _I, _R.WARN, "The closing order quantity is greater than your current position."),
    Code(2148, _I, _R.IGNORE, "{}"),
)  # fmt: skip

CODES: Final = {row.code: row for row in _TABLE}

_HISTORY: Final = (
    # What code 162 says behind the colon, in lower case; the first that is found counts.
    ("pacing violation", Reaction.RETRY),
    ("query returned no data", Reaction.EMPTY),
    ("query cancelled", Reaction.CANCELLED),
    ("no market data permissions", Reaction.FAIL),
    ("no historical market data for", Reaction.FAIL),
    ("trading tws session is connected from a different ip", Reaction.RETRY),
    ("connection was lost", Reaction.RETRY),
)


def lookup(code: int) -> Code:
    """Return the row of a code; one that is not listed is an error of its request.

    Codes 2100 to 2199 that are not listed are warnings: IB keeps them for those.
    """
    row = CODES.get(code)
    if row is not None:
        return row
    if 2100 <= code < 2200:
        return Code(code, Kind.INFO, Reaction.WARN, "{}", "not listed")
    return Code(code, Kind.REQUEST, Reaction.FAIL, "{}", "not listed")


def meaning(code: int, text: str, *, in_reset: bool = False) -> Reaction:
    """Return what to do about an error, from its code and its text.

    Parameters
    ----------
    code
        The code.
    text
        What the gateway said.
    in_reset
        Whether IB's servers are being reset: "no security definition" is not final then, for
        gateways say it of valid contracts.

    """
    if code == 162:
        lower = text.lower()
        for words, reaction in _HISTORY:
            if words in lower:
                return reaction
    if code == 200 and in_reset:
        return Reaction.RETRY
    return lookup(code).reaction


def farm(text: str) -> str:
    """Return the farm that a notice names, e.g. `usfarm`; empty where it names none.

    Most put a colon in front, 2107 and 2108 a full stop.
    """
    for mark in (":", "."):
        head, found, name = text.rpartition(mark)
        if found and head and name and " " not in name.strip():
            return name.strip()
    return ""
