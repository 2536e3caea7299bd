"""What the data client publishes of its feeds, on the message bus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FeedEvent", "FeedEventKind", "feed_topic"]


class FeedEventKind(StrEnum):
    """What happened to a feed."""

    STALE = "stale"  # silent for too long in trading hours; it is subscribed again
    INTERRUPTED = "interrupted"  # the broker stopped it and says why; it is tried again
    NOTICE = "notice"  # the broker says something about it, and goes on
    LIVE = "live"  # it speaks again
    FAILED = "failed"  # the broker refuses it, for good
    UNSUPPORTED = "unsupported"  # nothing of the kind is had of futures at the broker
    UNANSWERED = "unanswered"  # a request failed: its answer, which follows, has nothing in it
    GAP = "gap"  # something was missed that the broker's history does not give
    FARM_BROKEN = "farm broken"  # a part of the broker's servers: some feeds may be silent
    FARM_BACK = "farm back"
    CONNECTION_LOST = "connection lost"
    CONNECTION_BACK = "connection back"


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something that happened to a feed, or to the connection that all of them have.

    Attributes
    ----------
    client_id
        Of the data client.
    kind
        What happened.
    feed
        Which one, in words: ``quotes of ESH26.XCME``; empty for the connection.
    text
        Why, or how long.
    count
        How often this happened to the feed so far.
    ts_event
        When, by the node's clock, UTC nanoseconds.

    """

    client_id: str
    kind: FeedEventKind
    feed: str
    text: str
    count: int
    ts_event: int


def feed_topic(client_id: str) -> str:
    """Return the topic on the message bus of a data client's feed events."""
    return f"pyfutures.feeds.{client_id}"
