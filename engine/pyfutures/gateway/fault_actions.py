"""What faults do to a client or to the gateway, by the names that scripts use.

An action takes its value as a script has it: nothing, a word, a number, or a mapping. The client
that it happens to is the one whose message called for it, else the one that `client` names, else
all of them.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pyfutures.gateway.bars import Revision
from pyfutures.gateway.clock import SECOND
from pyfutures.ib import messages as m
from pyfutures.ib.codes import CODES
from pyfutures.months import ContractMonth

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfutures.gateway.contracts import Instrument
    from pyfutures.gateway.core import Gateway
    from pyfutures.gateway.orders import Working
    from pyfutures.gateway.session import Session

__all__ = ["ACTIONS", "Scene", "duration"]

_DURATION: Final = re.compile(r"\+?(\d+(?:\.\d+)?) ?(ms|s|m|h|d)?")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an action happens: to which gateway, on whose message, if on any."""

    gateway: Gateway
    session: Session | None
    message: m.Message | None

    def clients(self, value: object) -> tuple[Session, ...]:
        """Return the clients that it happens to."""
        named = value.get("client") if isinstance(value, dict) else None
        if named is not None:
            return self.gateway.clients(int(named))
        return (self.session,) if self.session is not None else self.gateway.clients()

    @property
    def about(self) -> int:
        """The id of the request or order that the message is of, -1 if none."""
        message = self.message
        return int(getattr(message, "request_id", getattr(message, "order_id", -1)))


def duration(value: object) -> int:
    """Return an amount of time in ns: `5s`, `200ms`, `2m`, `1h`, or a number of seconds.

    Raises
    ------
    ValueError
        For anything else.

    """
    found = _DURATION.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"`{value}` is no amount of time: write 5s, 200ms, 2m or 1h")
    return round(float(found[1]) * _UNITS[found[2]] * SECOND)


ACTIONS: Final[dict[str, Callable[[Scene, Any], None]]] = {}


def _action(function: Callable[[Scene, Any], None]) -> Callable[[Scene, Any], None]:
    ACTIONS[function.__name__.strip("_")] = function
    return function


def _of(value: object, key: str, default: object = None) -> Any:  # noqa: ANN401 - a script's value
    """Return a part of a value: that of a key, or the value itself where it is no mapping."""
    if isinstance(value, dict):
        return value.get(key, default)
    return default if value is None else value


def _later(scene: Scene, value: object, undo: Callable[[], None]) -> None:
    """Undo something after `for`, if that is said."""
    lasts = value.get("for") if isinstance(value, dict) else None
    if lasts is not None:
        scene.gateway.timeline.after(duration(lasts), undo)


# What is said


@_action
def _error(scene: Scene, value: Any) -> None:
    """Say an error: `{code, text, about}`; about the request at hand unless told otherwise."""
    code = int(_of(value, "code"))
    given = value if isinstance(value, dict) else {}
    about = int(given.get("about", scene.about))
    text = given.get("text")
    if text is None and code in CODES:
        text = CODES[code].text.replace("{}", "")
    for session in scene.clients(value):
        session.error(about, code, text or "")


@_action
def _reject(scene: Scene, value: Any) -> None:
    """Refuse the order at hand: error and status Inactive; `{code, text}`."""
    given = value if isinstance(value, dict) else {}
    code = int(given.get("code", 201))
    text = given.get("text") or CODES[201].text.format("The exchange refused the order")
    if scene.session is not None:
        scene.session.error(scene.about, code, text)


@_action
def _cut(scene: Scene, value: Any) -> None:
    """Cut connections: once `after` more bytes have gone out, at once without it."""
    for session in scene.clients(value):
        session.cut(int(_of(value, "after", 0) or 0))


@_action
def _silence(scene: Scene, value: Any) -> None:
    """Say nothing `for` a while, or for ever; `lose: false` keeps it for later."""
    given = value if isinstance(value, dict) else {}
    lasts = None if "for" not in given else duration(given["for"])
    for session in scene.clients(value):
        scene.gateway.faults.silence(session, lasts, lose=bool(given.get("lose", True)))


@_action
def _port_reset(scene: Scene, value: Any) -> None:
    """Say 1300 and hang up: the socket's port changed."""
    for session in scene.clients(value):
        session.error(-1, 1300, CODES[1300].text.format(_of(value, "port", 4002)))
        session.close()


# The line


@_action
def _connectivity(scene: Scene, value: Any) -> None:
    """Lose the line or have it again: lost, broken, restored_lost, restored_kept."""
    scene.gateway.connectivity(str(_of(value, "state")))
    _later(scene, value, lambda: scene.gateway.connectivity(value.get("then", "restored_kept")))


@_action
def _farm(scene: Scene, value: Any) -> None:
    """Break a farm or have it again: `{name, state, for, kills}`."""
    name, kills = str(value["name"]), bool(value.get("kills", True))
    scene.gateway.farm(name, str(value.get("state", "broken")), kills=kills)
    _later(scene, value, lambda: scene.gateway.farm(name, "ok"))


@_action
def _reset(scene: Scene, value: Any) -> None:
    """Reset IB's servers: contract details answer 200; `{for}` or false to end it."""
    scene.gateway.reset(on=value is not False)
    _later(scene, value, lambda: scene.gateway.reset(on=False))


@_action
def _compete(scene: Scene, value: Any) -> None:
    """Let another session have the market data: 10197; `{for, burst}` or false to end it."""
    burst = int(value.get("burst", 10)) if isinstance(value, dict) else 10
    scene.gateway.compete(on=value is not False, burst=burst)
    _later(scene, value, lambda: scene.gateway.compete(on=False))


@_action
def _restart(scene: Scene, value: Any) -> None:
    """Restart: `{down, mute}`; connections are refused, or accepted and not answered."""
    given = value if isinstance(value, dict) else {}
    down = duration(given.get("down", "150s")) / SECOND
    scene.gateway.restart(down, mute=bool(given.get("mute", False)))


# Who may come in


@_action
def _client_id_in_use(scene: Scene, value: Any) -> None:
    """Refuse the next starts with 326; the value is how many."""
    scene.gateway.faults.id_in_use = int(_of(value, "times", 1))


@_action
def _mute_handshake(scene: Scene, value: Any) -> None:
    """Accept the next connections and never answer them; the value is how many."""
    scene.gateway.faults.mute_next = int(_of(value, "times", 1))


@_action
def _wedge(scene: Scene, value: Any) -> None:
    """Answer nobody any more once a client came that speaks no common version."""
    scene.gateway.faults.wedges = value is not False


@_action
def _order_ids(scene: Scene, value: Any) -> None:
    """Hand out order ids from this one on again."""
    scene.gateway.restart_order_ids(int(_of(value, "first", 1)))


# Data


@_action
def _bust(scene: Scene, _: Any) -> None:
    """End real-time bars with 10225."""
    scene.gateway.feeds.bust()


@_action
def _end_kept_bars(scene: Scene, _: Any) -> None:
    """End bars that are kept up to date with 10182."""
    scene.gateway.feeds.fail_kept_bars()


@_action
def _lose_feeds(scene: Scene, _: Any) -> None:
    """End all subscriptions without a word."""
    scene.gateway.feeds.clear()


def _instrument(scene: Scene, value: dict[str, Any]) -> Instrument:
    month = ContractMonth.parse(str(value["month"]))
    return scene.gateway.universe.of(str(value["root"]), month)


@_action
def _revise(scene: Scene, value: Any) -> None:
    """Revise a daily bar: `{root, month, day, settlement | volume}`, a quote or a factor."""
    item = _instrument(scene, value)
    day = dt.date.fromisoformat(str(value["day"]))
    close = value.get("settlement")
    ticks = None if close is None else item.ticks(float(close))
    if close is not None and ticks is None:
        raise ValueError(f"settlement {close}: {item.local_symbol} moves by {item.quote_tick}")
    factor = float(value.get("volume", 1.0))
    scene.gateway.bars.revisions[item.con_id, day] = Revision(ticks, factor)


@_action
def _early_close(scene: Scene, value: Any) -> None:
    """Let a session end early: `{root, day, at}`, in the zone of the exchange."""
    day = dt.date.fromisoformat(str(value["day"]))
    time = dt.time.fromisoformat(str(value["at"]))
    for product in scene.gateway.universe.products:
        if product.root == value["root"]:
            product.hours.close_early(day, time)


# Orders


@_action
def _hold_order(scene: Scene, value: Any) -> None:
    """Hold the next order back: status Inactive, the value is why (`locate`)."""
    scene.gateway.faults.hold_next(str(_of(value, "why", "locate")))


@_action
def _slow_cancel(scene: Scene, value: Any) -> None:
    """Let the next cancel take a while, in which the order may fill."""
    scene.gateway.faults.slow_next_cancel(duration(_of(value, "by", "5s")))


@_action
def _cancel_error_first(scene: Scene, value: Any) -> None:
    """Let the next cancels say 202 before the status."""
    scene.gateway.faults.error_before_status(int(_of(value, "times", 1)))


@_action
def _double_on_modify(scene: Scene, value: Any) -> None:
    """Let a modification without a line to IB make a second order."""
    scene.gateway.book.double_on_modify = value is not False


def _order(scene: Scene, value: object) -> Working | None:
    """Return the order that is named by `client` and `order`, else the last one that is open."""
    book = scene.gateway.book
    given = value if isinstance(value, dict) else {}
    if "order" in given:
        return book.find(int(given.get("client", 0)), int(given["order"]))
    found = book.open()
    return found[-1] if found else None


@_action
def _fill(scene: Scene, value: Any) -> None:
    """Fill an order whatever the market is: `{client, order, size, price}`, price as a quote."""
    given = value if isinstance(value, dict) else {}
    order = _order(scene, value)
    if order is None or order.status.is_done:
        return
    size = int(given.get("size", order.remaining))
    price = order.what.ticks(float(given["price"])) if "price" in given else None
    if price is None:
        quote = scene.gateway.prices.quote(order.what, scene.gateway.timeline.now)
        price = order.limit() or (0 if quote is None else quote.ask)
    scene.gateway.book.fill(order, min(size, order.remaining), price)


@_action
def _correct(scene: Scene, value: Any) -> None:
    """Correct the last execution, or that with `exec_id`, to `price`, a quote."""
    fills = scene.gateway.book.fills
    given = value if isinstance(value, dict) else {}
    wanted = given.get("exec_id")
    found = [f for f in fills.all if wanted in {None, f.details.execution.exec_id}]
    if found:
        last = found[-1]
        old = last.details.execution.price
        price = last.order.what.ticks(float(given.get("price", old)))
        fills.correct(last.details.execution.exec_id, price or 0)


@_action
def _kill(scene: Scene, value: Any) -> None:
    """Cancel an order as the exchange or the broker does: `{client, order, reason}`."""
    order = _order(scene, value)
    if order is not None and order.is_open:
        scene.gateway.book.cancel(order)


@_action
def _release(scene: Scene, value: Any) -> None:
    """Let go of an order that was held back."""
    order = _order(scene, value)
    if order is not None and order.held:
        scene.gateway.book.release(order)
