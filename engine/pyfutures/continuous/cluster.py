"""The same jobs on a Dask cluster: one task a root, done again elsewhere if a worker dies.

A job writes its file whole, so that doing it twice does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyfutures.continuous.jobs import Outcome, run_guarded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyfutures.continuous.jobs import Job

_CONNECT: Final = "30s"
_RETRIES: Final = 3


class ClusterError(Exception):
    """A scheduler that cannot be reached, or what a cluster needs is not installed."""


def run_on_cluster(jobs: Sequence[Job], scheduler: str) -> Iterator[Outcome]:
    """Outcomes of jobs done by the workers of a scheduler, as they come.

    Parameters
    ----------
    jobs
        The jobs; files and URLs are as the workers see them.
    scheduler
        Its address, ``tcp://10.0.0.5:8786``.

    Raises
    ------
    ClusterError
        If distributed is not installed, or the scheduler cannot be reached.

    """
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"--scheduler needs {error.name}: pip install 'pyfutures[cluster]'"
        ) from None
    library: Any = distributed  # it has no types
    try:
        client = library.Client(scheduler, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"no scheduler at {scheduler}: {error}") from None
    with client:
        futures = {
            client.submit(run_guarded, job, pure=False, retries=_RETRIES): job for job in jobs
        }
        for future in library.as_completed(futures, loop=client.loop):
            job = futures[future]
            try:
                yield future.result()
            except Exception as error:  # noqa: BLE001 - whatever befell one task must not stop the others
                yield Outcome(job.root, error=f"{job.root}: {type(error).__name__}: {error}")
