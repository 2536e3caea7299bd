"""Our four modes against nautilus' own engine, run on the same bars and transitions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from pyfutures.continuous.adjustment import Adjustment
from pyfutures.continuous.bars import PRICE_SCALE, price_text
from pyfutures.continuous.build import build
from pyfutures.continuous.frame import read_bars
from tests.continuous.tools import calendar, month

pytest.importorskip("pyarrow")
pytest.importorskip("nautilus_trader")

MODES = list(Adjustment)
