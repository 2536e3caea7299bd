"""The form of a document: sound by jsonschema-rs, or what jsonschema says is wrong with it.

Sound specs are nearly all specs, and jsonschema takes longer to import than they take to load. So
it is asked only why a document is wrong.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jsonschema_rs import Draft202012Validator

from pyfutures.codes import diagnostic
from pyfutures.specs.forms import Kind, load_schema
from pyfutures.specs.positions import Locations, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from pyfutures.diagnostics import Diagnostic
    from pyfutures.specs.model import DataPath

__all__ = ["VERSION", "Faults", "Kind", "load_schema", "validate"]

#: The version of the form that this program reads.
VERSION: Final = 1


class Faults(NamedTuple):
    """What is wrong with the form of a document, and the places that cannot be relied on."""

    diagnostics: tuple[Diagnostic, ...] = ()
    places: frozenset[DataPath] = frozenset()


@cache
def _quick(kind: Kind) -> Draft202012Validator:
    return Draft202012Validator(load_schema(kind))


@cache
def validator(kind: Kind) -> Validator:
    """Return the jsonschema validator of a schema, built once."""
    from jsonschema import Draft202012Validator as Explaining  # noqa: PLC0415
    from jsonschema import ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    def pattern(_: object, text: str, instance: object, __: object) -> Iterator[ValidationError]:
        # `$` of Python matches before a newline at the end, that of JSON Schema does not.
        if isinstance(instance, str) and (not re.search(text, instance) or instance[-1:] == "\n"):
            yield ValidationError(f"{instance!r} does not match {text!r}")

    strict: Callable[[Mapping[str, Any]], Validator] = extend(  # type: ignore[no-untyped-call]
        Explaining, {"pattern": pattern}
    )
    return strict(load_schema(kind))


def validate(
    data: dict[str, Any],
    kind: Kind,
    locations: Locations,
    *,
    broken: Iterable[DataPath] = (),
    partial: bool = False,
) -> Faults:
    """Return the faults in the form of a document.

    Parameters
    ----------
    data
        The document, after ``extends``.
    kind
        Which schema it follows.
    locations
        Where its values stand.
    broken
        Places with a fault that was already told: nothing more is said about them.
    partial
        Whether facts are known to be missing, so that a missing key is no news.

    """
    broken = tuple(broken)
    version = data.get("schema")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        # Every other complaint would be about a form that is not known here.
        return Faults((_newer(version, locations),), frozenset({()}))
    if not broken and not partial and _quick(kind).is_valid(data):
        return Faults()
    from pyfutures.specs.rewrite import Rewriter  # noqa: PLC0415 - only to say what is wrong

    rewriter = Rewriter(kind, data, locations, partial=partial, broken=broken)
    for error in validator(kind).iter_errors(data):
        path = tuple(error.absolute_path)
        if not any(path[: len(place_)] == place_ for place_ in broken):
            rewriter.add(error)
    found, places = rewriter.finish()
    return Faults(tuple(found), frozenset({*places, *broken}))


def _newer(version: int, locations: Locations) -> Diagnostic:
    return diagnostic(
        "PF109",
        f"schema {version} is of a newer pyfutures; this one reads schema {VERSION}",
        locate(locations, ("schema",)),
        hint=f"install a newer pyfutures, or write the spec for `schema: {VERSION}`",
    )
