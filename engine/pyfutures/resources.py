"""Where the data of the package lies: in the wheel, in a checkout, or where the user says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

__all__ = ["data_dir"]


def data_dir(name: Literal["contracts", "schemas"]) -> Path:
    """Return the folder of the contracts or of the schemas.

    ``PYFUTURES_CONTRACTS`` and ``PYFUTURES_SCHEMAS`` win; then the data packed into an installed
    wheel; then the folder of the checkout this module runs from.
    """
    if override := os.environ.get(f"PYFUTURES_{name.upper()}"):
        return Path(override)
    # Beside this module, never through `pyfutures._data`: an editable install leaves a stale copy
    # of the data in site-packages, which that name would find.
    package = Path(__file__).resolve().parent
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parents[1] / name
