"""``pyfutures code``: what a code means, why it matters, and what to write instead."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pyfutures.codes import CODES
from pyfutures.specs.words import suggestion

if TYPE_CHECKING:
    from pyfutures.codes import Code


@click.command(name="code")
@click.argument("names", metavar="[CODE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All codes in full.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
def command(names: tuple[str, ...], style: str, *, every: bool) -> None:
    """Say what the code of a diagnostic means; without a CODE, list them all.

    \b
    Examples:
      pyfutures code PF420
      pyfutures code
      pyfutures code --all --format markdown
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    if names and every:
        raise click.UsageError("name codes, or write --all")
    codes = [_known(name) for name in names] or list(CODES.values())
    match style:
        case "json":
            click.echo(json.dumps([asdict(code) for code in codes], indent=2, ensure_ascii=False))
        case "markdown":
            click.echo("\n".join(code.markdown for code in codes), nl=False)
        case _ if names or every:
            click.echo("\n\n".join(map(_text, codes)))
        case _:
            width = max(len(code.severity.value) for code in codes)
            for code in codes:
                click.echo(f"{code.code}  {code.severity.value:<{width}}  {code.title}")


def _known(name: str) -> Code:
    word = name.strip().upper()
    word = f"PF{word}" if word.isdigit() else word
    if word not in CODES:
        raise click.UsageError(
            f"there is no code {name}; {suggestion(word, CODES, 'the codes are')}"
        )
    return CODES[word]


def _text(code: Code) -> str:
    parts = [
        f"{code.code} {code.title} ({code.severity.value})",
        f"What: {code.what}",
        f"Why: {code.why}",
        f"Example:\n{_indented(code.example)}",
        f"Instead:\n{_indented(code.instead)}",
    ]
    if code.can_be_ignored:
        parts.append(f"To ignore one: `# pyfutures: ignore[{code.code}] and why`, on its line.")
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
