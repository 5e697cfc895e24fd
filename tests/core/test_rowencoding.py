from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core.encoding import MAX_DATA_BYTES, encode
from dwatch.core.rowencoding import RowEncoder

COLUMNS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters()),
    st.decimals(),
    st.uuids(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.just(UTC)),
    st.binary(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)


@given(st.dictionaries(st.text(max_size=8), COLUMNS, max_size=5))
def test_encode__gives_what_the_general_encoder_gives(row: dict[str, object]) -> None:
    assert RowEncoder(list(row)).encode(list(row.values())) == encode(row)


@pytest.mark.parametrize(
    "value",
    [
        "100 % of \ud800 \0",
        2**64,
        10**5000,
        float("nan"),
        Decimal("1.50"),
        UUID(int=5),
        date(2026, 3, 1),
        time(12, 30),
        datetime(2026, 3, 1, tzinfo=UTC),
        {"nested": [1, None]},
        "x" * MAX_DATA_BYTES,
    ],
    ids=lambda value: type(value).__name__,
)
def test_encode__unusual_values(value: object) -> None:
    text = RowEncoder(["a%s", "b"]).encode([value, 1])
    assert text == encode({"a%s": value, "b": 1})
    assert json.loads(text)


def test_encode__no_columns() -> None:
    assert RowEncoder([]).encode([]) == encode({}) == "{}"
