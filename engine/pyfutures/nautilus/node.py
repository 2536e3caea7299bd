"""A node that is run to its end: it starts or says why not, and stops in good order.

Theory of operation. nautilus_trader's node does not tell when its start came to nothing: a client
that does not connect or a reconciliation that fails is logged, and the node waits for ever with no
strategy running. `run_node` waits for one of four things: the start returned (and the trader runs,
or not), a client of ours failed, the node ended by itself, or somebody wants it to stop. Whatever
comes first, everything that was started is stopped before it returns or raises.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
from typing import TYPE_CHECKING, Final

from nautilus_trader.common.component import flush_logger
from nautilus_trader.live.node import TradingNode

from pyfutures.nautilus.link import links_of
from pyfutures.nautilus.logs import in_node_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from nautilus_trader.config import TradingNodeConfig
    from nautilus_trader.core.message import Command

__all__ = ["NodeEndedError", "NodeStartError", "run", "run_node"]

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_SHUTDOWN: Final = "commands.system.shutdown"
#: Seconds for what is left of a node behind its own timeouts.
_GRACE: Final = 5.0


class NodeStartError(RuntimeError):
    """A node that did not start; the text says why."""


class NodeEndedError(RuntimeError):
    """A node that ended though nobody asked it to; the text says why."""


def run(
    config: TradingNodeConfig, *, started: Callable[[TradingNode], object] | None = None
) -> None:
    """Run a node until SIGTERM or SIGINT, on uvloop where it is installed.

    Parameters
    ----------
    config
        The node.
    started
        Called with the node when its strategies run.

    Raises
    ------
    NodeEndedError
        If it ended by itself.
    NodeStartError
        If it did not start.
    """
    nodes: list[TradingNode] = []
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run_node(config, started=started, made=nodes.append))
    finally:
        for node in nodes:
            node.dispose()  # only now: inside its loop it would stop the loop
        flush_logger()  # a process that ends would lose the last lines, which say why


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def run_node(
    config: TradingNodeConfig,
    *,
    stop: asyncio.Event | None = None,
    started: Callable[[TradingNode], object] | None = None,
    made: Callable[[TradingNode], object] | None = None,
) -> None:
    """Run a node until `stop` is set, or by SIGTERM or SIGINT.

    Parameters
    ----------
    config
        The node.
    stop
        Set it to stop the node.
    started
        Called with the node when its strategies run.
    made
        Called with the node before it starts.

    Raises
    ------
    NodeEndedError
        If it ended by itself.
    NodeStartError
        If it did not start.
    """
    stop = stop or asyncio.Event()
    try:
        node = TradingNode(config=config, loop=asyncio.get_running_loop())
        if made is not None:
            made(node)
        with _signals(stop), in_node_log(config.logging):
            await _Run(node, stop).to_the_end(started)
    except (NodeStartError, NodeEndedError):
        raise
    except Exception as error:
        # Configs, factories and constructors of actors are the user's: anything may come of them.
        raise NodeStartError(
            f"the node cannot be built: {type(error).__name__}: {error}"
        ) from error


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on a signal; nautilus' own handlers would stop a node that is still starting."""
    loop = asyncio.get_running_loop()
    for each in _SIGNALS:
        loop.add_signal_handler(each, stop.set)
    try:
        yield
    finally:
        for each in (*_SIGNALS, signal.SIGABRT):
            loop.remove_signal_handler(each)


class _Run:
    """One run of a node."""

    def __init__(self, node: TradingNode, stop: asyncio.Event) -> None:
        self._node = node
        self._stop = stop
        self._failed = asyncio.Event()
        self._returned = asyncio.Event()
        self._failures: list[str] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self._shutdown: str | None = None

    async def to_the_end(self, started: Callable[[TradingNode], object] | None) -> None:
        node = self._node
        node.build()
        self._listen()
        run = asyncio.get_running_loop().create_task(node.run_async(), name="pyfutures: node")
        try:
            await self._first(run, self._returned, self._failed)
            if self._stop.is_set():
                return
            if not (self._returned.is_set() and node.trader.is_running):
                raise NodeStartError(self._why(run))
            if started is not None:
                started(node)
            await self._first(run)
            if not self._stop.is_set():
                raise NodeEndedError(self._end(run))
        finally:
            await self._close(run)

    async def _first(self, run: asyncio.Task[None], *events: asyncio.Event) -> None:
        """Wait until the node ends, somebody wants it to stop, or one of the events."""
        loop = asyncio.get_running_loop()
        waits = [loop.create_task(event.wait()) for event in (self._stop, *events)]
        try:
            await asyncio.wait([run, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _listen(self) -> None:
        """Hear what nautilus only logs: that the start returned, and why a client failed."""
        kernel = self._node.kernel
        kernel.start_async = self._told(kernel.start_async)
        kernel.msgbus.subscribe(_SHUTDOWN, self._shut_down)
        for link in links_of(asyncio.get_running_loop()):
            for client in link.clients:
                client._connect = self._watched(str(client.id), client._connect)  # noqa: SLF001 - there is no other way to hear of it

    def _told(self, start: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def start_async() -> None:
            await start()
            self._returned.set()

        return start_async

    def _watched(
        self, name: str, connect: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        @functools.wraps(connect)  # nautilus names it where it fails
        async def connect_and_tell() -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - nautilus makes one
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
            try:
                await connect()
            except Exception as error:
                text = str(error) or repr(error)
                self._failures.append(f"client {name} did not connect: {text}")
                self._failed.set()
                raise

        return connect_and_tell

    def _shut_down(self, command: Command) -> None:
        self._shutdown = f"{command.component_id}: {command.reason or 'no reason given'}"

    def _why(self, run: asyncio.Task[None]) -> str:
        """Return why the node did not start."""
        kernel = self._node.kernel
        if self._failures:
            return "\n".join(dict.fromkeys(self._failures))
        error = run.exception() if run.done() and not run.cancelled() else None
        if error is not None:
            return f"an actor or strategy failed to start: {type(error).__name__}: {error}"
        if self._shutdown is not None:
            return f"it was shut down while it started by {self._shutdown}"
        if not (kernel.data_engine.check_connected() and kernel.exec_engine.check_connected()):
            seconds = kernel._config.timeout_connection  # noqa: SLF001 - it has no other name
            waits = "; ".join(_waits(asyncio.get_running_loop())) or "the log has the details"
            return f"not every client connected within {seconds:g} s: {waits}"
        return "; ".join(
            client.unreported
            for link in links_of(asyncio.get_running_loop())
            for client in link.clients
            if getattr(client, "unreported", "")
        ) or (
            "the state of orders and positions could not be reconciled, or the portfolio could not"
            " be valued in time; the log has the details"
        )

    def _end(self, run: asyncio.Task[None]) -> str:
        error = run.exception() if run.done() and not run.cancelled() else None
        if error is not None:
            return f"{type(error).__name__}: {error}"
        return self._shutdown or "the log has the details"

    async def _close(self, run: asyncio.Task[None]) -> None:
        """Stop what runs, disconnect, and leave no task behind."""
        node = self._node
        kernel = node.kernel
        connecting = tuple(self._connecting)
        for task in connecting:  # they would wait for what nobody wants any more
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        if not node.trader.is_running:
            # A start that failed half way: the parts that run must still be told to stop.
            for part in (*node.trader.actors(), *node.trader.strategies()):
                if part.is_running:
                    part.stop()
        if kernel.is_running() and not kernel._is_stopping:  # noqa: SLF001 - it has no other name
            await node.stop_async()
        while kernel._is_stopping:  # noqa: ASYNC110, SLF001 - one of its components shut it down
            await asyncio.sleep(0.01)
        for link in links_of(asyncio.get_running_loop()):
            while link.users:
                await link.close()
        if self._returned.is_set() and not run.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(run), _GRACE)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


def _waits(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """Say what each connection that is not there yet waits for, and what went wrong so far."""
    for link in links_of(loop):
        names = " and ".join(sorted({str(one.id) for one in link.clients if not one.is_connected}))
        if names and link.waits_for:
            so_far = f" ({link.client.failure})" if link.client.failure is not None else ""
            yield f"client {names} waits for {link.waits_for}{so_far}"
