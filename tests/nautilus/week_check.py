"""Whether a node and a gateway agree on what a simulated week came to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

STRATEGIES = ("Trader-001", "Trader-002")
#: So many commissions the script holds back for longer than the node waits, or drops.
WITHOUT_COMMISSION = 5


def differences(theirs, ours):
    """Say in words where the node and the gateway differ; nothing if they do not."""
    if not ours["over"] or ours["code"] != 0 or "Traceback" in ours["said"]:
        yield f"the node ended with {ours['code']}, over: {ours['over']}: {ours['said']}"
    if theirs["bugs"]:
        yield f"the gateway has bugs: {theirs['bugs']}"
    if "bars" in ours:
        for name, bars in theirs["bars"].items():
            yield from _bars(name, ours["bars"][name], {int(k): v for k, v in bars.items()})
        yield from _orders(theirs, ours)
        yield from _fills(theirs, ours)
        yield from _positions(theirs, ours)


def _clock(seconds):
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%m-%d %H:%M}"


def _bars(name, heard, market):
    stamps = [bar[0] for bar in heard]
    if not stamps:
        yield f"{name}: no bars"
        return
    twice = [_clock(stamp) for stamp, count in Counter(stamps).items() if count > 1]
    if twice:
        yield f"{name}: bars told twice: {twice[:10]}"
    backward = [_clock(b) for a, b in pairwise(stamps) if b < a]
    if backward:
        yield f"{name}: bars out of order: {backward[:10]}"
    wanted = {stamp for stamp in market if stamps[0] <= stamp <= stamps[-1]}
    lost = sorted(map(_clock, wanted - set(stamps)))
    if lost:
        yield f"{name}: {len(lost)} bars lost: {lost[:10]}"
    made_up = sorted(map(_clock, set(stamps) - wanted))
    if made_up:
        yield f"{name}: {len(made_up)} bars that the market has not: {made_up[:10]}"
    for stamp, *figures in heard:
        if stamp in market and figures != market[stamp]:
            yield f"{name} {_clock(stamp)}: {figures}, the market has {market[stamp]}"
    if stamps[0] > min(market) + 3600:
        yield f"{name}: the first bar is of {_clock(stamps[0])}"


_SAME = {"FILLED": {"Filled"}, "CANCELED": {"Cancelled"}, "EXPIRED": {"Cancelled"},
         "REJECTED": {"Cancelled", "Inactive"}}  # fmt: skip


def _orders(theirs, ours):
    placed = {order["ref"]: order for order in theirs["orders"]}
    if len(placed) != len(theirs["orders"]):
        yield "the gateway has two orders of one reference"
    owners = {ref: name for name, each in ours["traders"].items() for ref in each["mine"]}
    known = {order["ref"]: order for order in ours["orders"]}
    for ref in placed.keys() - known.keys():
        yield f"{ref}: an order at the gateway that the node does not know"
    for ref, order in known.items():
        if owners.get(ref) != order["strategy"]:
            yield f"{ref}: of {owners.get(ref)}, and the node says {order['strategy']}"
        yield from _order(ref, order, placed.get(ref))
    for name, each in ours["traders"].items():
        strangers = {ref for _, ref in each["heard"]} - set(each["mine"])
        if strangers:
            yield f"{name} heard of orders of others: {sorted(strangers)[:5]}"


def _order(ref, order, at_gateway):
    if at_gateway is None:
        if order["fills"] or order["status"] not in {"DENIED", "REJECTED", "CANCELED"}:
            yield f"{ref}: {order['status']} in the node, and never at the gateway"
        return
    for what in ("perm_id", "instrument", "side", "quantity", "filled"):
        if what == "perm_id" and not order[what] and not order["fills"]:
            continue  # refused or cancelled at once: nautilus keeps no id of the venue then
        if order[what] != at_gateway[what]:
            yield f"{ref}: {what} {order[what]}, at the gateway {at_gateway[what]}"
    if at_gateway["status"] not in _SAME.get(order["status"], set()):
        yield f"{ref}: {order['status']}, at the gateway {at_gateway['status']}"


def _fills(theirs, ours):
    told = [(order["ref"], fill) for order in ours["orders"] for fill in order["fills"]]
    counts = Counter(fill["id"] for _, fill in told)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        yield f"executions told twice: {twice[:5]}"
    executed = {fill["id"]: fill for fill in theirs["fills"]}
    for name in executed.keys() - counts.keys():
        yield f"execution {name} of {executed[name]['ref']} was never told"
    for ref, fill in told:
        yield from _fill(ref, fill, executed.get(fill["id"]))
    without = sum(fill["commission"] == 0 for _, fill in told)
    if without > WITHOUT_COMMISSION:
        yield f"{without} fills without their commission"


def _fill(ref, fill, at_gateway):
    if at_gateway is None:
        yield f"{ref}: a fill {fill['id']} that the gateway does not know"
        return
    if ref != at_gateway["ref"]:
        yield f"{fill['id']}: a fill of {at_gateway['ref']} told of {ref}"
    for what in ("side", "size", "price", "commission"):
        if what == "commission" and fill[what] == 0:
            continue  # told without, for it came too late or never
        if fill[what] != at_gateway[what]:
            yield f"{fill['id']}: {what} {fill[what]}, at the gateway {at_gateway[what]}"


def _positions(theirs, ours):
    sums = {name: sum(held.values()) for name, held in ours["positions"].items()}
    sums = {name: total for name, total in sums.items() if total}
    if sums != theirs["positions"]:
        yield f"positions {sums}, at the gateway {theirs['positions']}"
    for trader in STRATEGIES:
        held = Counter()
        mine = set(ours["traders"][trader]["mine"])
        for fill in theirs["fills"]:
            if fill["ref"] in mine:
                held[fill["instrument"]] += fill["size"] * (1 if fill["side"] == "BUY" else -1)
        for name, total in held.items():
            said = ours["positions"].get(name, {}).get(trader, 0)
            if said != total:
                yield f"{trader} holds {said} {name}, and its fills come to {total}"
