"""The plan of the policy `nearest`: at which timestamp each month is left, known to a batch alone.

Of the timestamps at which both months have a close and that are later than the roll date before,
it is the one fewest days from the roll date; days are counted down to whole ones, and the first of
equally near ones is taken. There is no deadline. A series cannot roll twice at once, nor back, so
that timestamps up to the roll before are left out too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyfutures.chain.rolls import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def nearest_ts(
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    roll_ns: int,
    *,
    after: int | None = None,
) -> int | None:
    """Timestamp of the roll out of a month, None if the two never had a close at once.

    Parameters
    ----------
    old, new
        When each of the two months has a close, in order.
    roll_ns
        The roll date, 00:00 UTC.
    after
        The later of the roll date and of the roll before; None for no roll before.

    """
    common = np.intersect1d(old, new, assume_unique=True)
    if after is not None:
        common = common[common > after]
    if not common.size:
        return None
    days = np.abs((common - roll_ns) // DAY_NS)
    return int(common[np.argmin(days)])
