"""What faults do to a client or to the gateway, by the names that scripts use.

An action takes its value as a script has it: nothing, a word, a number, or a mapping. The client
that it happens to is the one whose message called for it, else the one that `client` names, else
all of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyfutures.gateway.bars import Revision
from pyfutures.gateway.clock import SECOND
from pyfutures.ib.codes import CODES
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.gateway.contracts import Instrument
    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.fault_values import Given
    from pyfutures.gateway.orders import Working
    from pyfutures.gateway.session import Session
    from pyfutures.ib.messages.base import Message

    type Act = Callable[["Scene", Given], None]

__all__ = ["ACTIONS", "PARTS", "Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an action happens: to which gateway, on whose message, if on any."""

    gateway: Gateway
    session: Session | None = None
    message: Message | None = None

    def clients(self, given: Given) -> tuple[Session, ...]:
        """Return the clients that it happens to."""
        if given.has("client"):
            return self.gateway.clients(given.integer("client"))
        return (self.session,) if self.session is not None else self.gateway.clients()

    @property
    def about(self) -> int:
        """The id of the request or order that the message is of, -1 if none."""
        message = self.message
        return int(getattr(message, "request_id", getattr(message, "order_id", -1)))

    def undo(self, given: Given, action: Callable[[], None]) -> None:
        """Undo something after `for`, if that is said."""
        if given.has("for"):
            self.gateway.timeline.after(given.amount("for"), action)


ACTIONS: Final[dict[str, Act]] = {}
#: What a mapping for an action may say.
PARTS: Final[dict[str, frozenset[str]]] = {}


def _action(*parts: str) -> Callable[[Act], Act]:
    def register(function: Act) -> Act:
        name = function.__name__.strip("_")
        ACTIONS[name] = function
        PARTS[name] = frozenset(parts)
        return function

    return register


# What is said


@_action("code", "text", "about", "client")
def _error(scene: Scene, given: Given) -> None:
    """Say an error: `{code, text, about}`; about the request at hand unless told otherwise."""
    code = given.integer("code")
    about = given.integer("about", scene.about)
    known = CODES[code].text.replace("{}", "") if code in CODES else ""
    for session in scene.clients(given):
        session.error(about, code, given.text("text", known))


@_action("code", "text")
def _reject(scene: Scene, given: Given) -> None:
    """Refuse the order at hand: `{code, text}`, 201 unless told otherwise."""
    text = CODES[201].text.format("The exchange refused the order")
    if scene.session is not None:
        code = given.integer("code", 201)
        scene.session.error(scene.about, code, given.text("text", text))


@_action("after", "client")
def _cut(scene: Scene, given: Given) -> None:
    """Cut connections: once `after` more bytes have gone out, at once without it."""
    for session in scene.clients(given):
        session.cut(given.integer("after", 0))


@_action("for", "lose", "client")
def _silence(scene: Scene, given: Given) -> None:
    """Say nothing `for` a while, or for ever; `lose: false` keeps it for later."""
    lasts = given.amount("for") if given.has("for") else None
    for session in scene.clients(given):
        scene.gateway.faults.silence(session, lasts, lose=given.flag("lose", default=True))


@_action("port", "client")
def _port_reset(scene: Scene, given: Given) -> None:
    """Say 1300 and hang up: the socket's port changed to `port`."""
    for session in scene.clients(given):
        session.error(-1, 1300, CODES[1300].text.format(given.integer("port", 4002)))
        session.close()


# The line


@_action("state", "for", "then")
def _connectivity(scene: Scene, given: Given) -> None:
    """Lose the line or have it again: a state, or `{state, for, then}`.

    States: lost, broken, restored_lost, restored_kept, restored_silently.
    """
    gateway = scene.gateway
    gateway.connectivity(given.text("state"))
    then = given.part("then").text("then", "restored_kept")
    scene.undo(given, lambda: gateway.connectivity(then))


@_action("name", "state", "for", "kills")
def _farm(scene: Scene, given: Given) -> None:
    """Break a farm or have it again: `{name, state, for, kills}`."""
    gateway, name = scene.gateway, given.text("name")
    state = given.part("state").text("state", "broken")
    gateway.farm(name, state, kills=given.flag("kills", default=True))
    scene.undo(given, lambda: gateway.farm(name, "ok"))


@_action("for")
def _reset(scene: Scene, given: Given) -> None:
    """Reset IB's servers: contract details answer 200; `{for}`, or false to end it."""
    scene.gateway.reset(on=not given.is_off)
    scene.undo(given, lambda: scene.gateway.reset(on=False))


@_action("for", "burst")
def _compete(scene: Scene, given: Given) -> None:
    """Let another session have the market data: 10197; `{for, burst}`, or false to end it."""
    burst = given.part("burst").integer("burst", 10)
    scene.gateway.compete(on=not given.is_off, burst=burst)
    scene.undo(given, lambda: scene.gateway.compete(on=False))


@_action("down", "mute")
def _restart(scene: Scene, given: Given) -> None:
    """Restart: `{down, mute}`; connections are refused, or accepted and not answered."""
    down = given.part("down").amount("down", "150s") / SECOND
    scene.gateway.restart(down, mute=given.flag("mute", default=False))


# Who may come in


@_action("times")
def _client_id_in_use(scene: Scene, given: Given) -> None:
    """Refuse the next starts with 326; the value is how many."""
    scene.gateway.faults.id_in_use = given.integer("times", 1)


@_action("times")
def _mute_handshake(scene: Scene, given: Given) -> None:
    """Accept the next connections and never answer them; the value is how many."""
    scene.gateway.faults.mute_next = given.integer("times", 1)


@_action()
def _wedge(scene: Scene, given: Given) -> None:
    """Answer nobody any more once a client came that speaks no common version."""
    scene.gateway.faults.wedges = not given.is_off


@_action("first")
def _order_ids(scene: Scene, given: Given) -> None:
    """Hand out order ids from this one on again."""
    scene.gateway.restart_order_ids(given.integer("first", 1))


# Data


@_action()
def _bust(scene: Scene, _: Given) -> None:
    """End real-time bars with 10225."""
    scene.gateway.feeds.bust()


@_action()
def _end_kept_bars(scene: Scene, _: Given) -> None:
    """End bars that are kept up to date with 10182."""
    scene.gateway.feeds.fail_kept_bars()


@_action()
def _lose_feeds(scene: Scene, _: Given) -> None:
    """End all subscriptions without a word."""
    scene.gateway.feeds.clear()


def _instrument(scene: Scene, given: Given) -> Instrument:
    month = ContractMonth.parse(given.text("month"))
    return scene.gateway.universe.of(given.text("root"), month)


@_action("root", "month", "day", "settlement", "volume")
def _revise(scene: Scene, given: Given) -> None:
    """Revise a daily bar: `{root, month, day, settlement, volume}`, a quote and a factor."""
    item = _instrument(scene, given)
    day = dt.date.fromisoformat(given.text("day"))
    close = None
    if given.has("settlement"):
        settlement = given.number("settlement")
        close = item.ticks(settlement)
        if close is None:
            raise ValueError(
                f"settlement {settlement}: {item.local_symbol} moves by {item.quote_tick}"
            )
    revision = Revision(close, given.number("volume", 1.0))
    scene.gateway.bars.revisions[item.con_id, day] = revision


@_action("root", "day", "at")
def _early_close(scene: Scene, given: Given) -> None:
    """Let a session end early: `{root, day, at}`, in the zone of the exchange."""
    day = dt.date.fromisoformat(given.text("day"))
    time = dt.time.fromisoformat(given.text("at"))
    for product in scene.gateway.universe.products:
        if product.root == given.text("root"):
            product.hours.close_early(day, time)


# Orders


@_action("why")
def _hold_order(scene: Scene, given: Given) -> None:
    """Hold the next order back: status Inactive, the value is why (`locate`)."""
    scene.gateway.faults.hold_next(given.text("why", "locate"))


@_action("by")
def _slow_cancel(scene: Scene, given: Given) -> None:
    """Let the next cancel take a while, in which the order may fill."""
    scene.gateway.faults.slow_next_cancel(given.amount("by", "5s"))


@_action("times")
def _cancel_error_first(scene: Scene, given: Given) -> None:
    """Let the next cancels say 202 before the status; the value is how many."""
    scene.gateway.faults.error_before_status(given.integer("times", 1))


@_action()
def _double_on_modify(scene: Scene, given: Given) -> None:
    """Let a modification without a line to IB make a second order."""
    scene.gateway.book.double_on_modify = not given.is_off


def _order(scene: Scene, given: Given) -> Working | None:
    """Return the order that is named by `client` and `order`, else the last one that is open."""
    book = scene.gateway.book
    if given.has("order"):
        return book.find(given.part("client").integer("client", 0), given.integer("order"))
    found = book.open()
    return found[-1] if found else None


@_action("client", "order", "size", "price")
def _fill(scene: Scene, given: Given) -> None:
    """Fill an order whatever the market is: `{client, order, size, price}`, price as a quote."""
    order = _order(scene, given)
    if order is None or order.status.is_done:
        return
    price = order.what.ticks(given.number("price")) if given.has("price") else None
    if price is None:
        quote = scene.gateway.prices.quote(order.what, scene.gateway.timeline.now)
        price = order.limit() or (0 if quote is None else quote.ask)
    size = given.part("size").integer("size", order.remaining)
    scene.gateway.book.fill(order, min(size, order.remaining), price)


@_action("exec_id", "price")
def _correct(scene: Scene, given: Given) -> None:
    """Correct the last execution, or that with `exec_id`, to `price`, a quote."""
    fills = scene.gateway.book.fills
    wanted = given.part("exec_id").text("exec_id", "")
    found = [f for f in fills.all if wanted in {"", f.details.execution.exec_id}]
    if found:
        execution = found[-1].details.execution
        price = found[-1].order.what.ticks(given.number("price", execution.price))
        fills.correct(execution.exec_id, price or 0)


@_action("client", "order")
def _kill(scene: Scene, given: Given) -> None:
    """Cancel an order as the exchange or the broker does: `{client, order}`."""
    order = _order(scene, given)
    if order is not None and order.is_open:
        scene.gateway.book.cancel(order)


@_action("client", "order")
def _release(scene: Scene, given: Given) -> None:
    """Let go of an order that was held back."""
    order = _order(scene, given)
    if order is not None and order.held:
        scene.gateway.book.release(order)
