"""``pyfutures continuous``: series from contract bars, adjusted prices, rolls of other files."""

from __future__ import annotations

import click

from pyfutures.cli.continuous_build import build_command
from pyfutures.cli.continuous_files import adjust_command, rolls_command


@click.group(name="continuous")
def command() -> None:
    """Build continuous series from contract bars, adjust prices, find rolls."""


for one in (build_command, adjust_command, rolls_command):
    command.add_command(one)
