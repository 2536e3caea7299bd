"""What one end writes the other end reads, for every kind at every server version."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfutures.ib.codec import Codec, Role
from pyfutures.ib.fields import FLOAT_OR_NONE, INT, TEXT
from pyfutures.ib.layout import Field
from pyfutures.ib.versions import MAX_VERSION, MIN_VERSION
from tests.ib.strategies import ALL_REQUESTS, ALL_RESPONSES, messages

VERSIONS = st.integers(MIN_VERSION, MAX_VERSION)


def _name(layout):
    return layout.cls.__name__


@pytest.mark.parametrize("layout", ALL_REQUESTS, ids=_name)
@given(data=st.data())
def test_requests(layout, data):
    version = data.draw(st.integers(max(MIN_VERSION, layout.since), MAX_VERSION))
    message = data.draw(messages(layout, version))
    body = Codec(version, Role.CLIENT).encode(message)
    assert Codec(version, Role.GATEWAY).decode(body) == message


@pytest.mark.parametrize("layout", ALL_RESPONSES, ids=_name)
@given(data=st.data())
def test_responses(layout, data):
    version = data.draw(st.integers(max(MIN_VERSION, layout.since), MAX_VERSION))
    message = data.draw(messages(layout, version))
    body = Codec(version, Role.GATEWAY).encode(message)
    assert Codec(version, Role.CLIENT).decode(body) == message


@pytest.mark.parametrize("layout", ALL_REQUESTS + ALL_RESPONSES, ids=_name)
def test_every_field_of_a_message_is_in_its_layout(layout):
    paths = {
        path for version in (157, 200) for row in layout.at(version).rows for path in row.paths()
    }
    heads = {path.partition(".")[0] for path in paths}
    assert heads == {field.name for field in dataclasses.fields(layout.cls)}
    for part, cls in layout.parts.items():
        known = {field.name for field in dataclasses.fields(cls)}
        assert {path.partition(".")[2] for path in paths if path.startswith(f"{part}.")} <= known


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (INT, "", 0),
        (FLOAT_OR_NONE, "", None),
        (FLOAT_OR_NONE, "1.7976931348623157E308", None),
        (FLOAT_OR_NONE, "1.7976931348623157e+308", None),
        (TEXT, "", ""),
    ],
)
def test_spellings_of_nothing(kind, text, value):
    assert kind.read(text) == value
    assert Field("x", kind).path == "x"
