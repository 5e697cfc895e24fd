from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dwatch.core import gather as gathering
from dwatch.core.gather import gather
from dwatch.core.interrupt import Interrupted
from dwatch.core.outcome import Outcome, OutcomeBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def batch(amount: int, loaded_at: datetime = NOW, data: str = "{}") -> OutcomeBatch:
    return OutcomeBatch([Outcome(str(n), data=data) for n in range(amount)], loaded_at)


def sizes(batches: Iterable[OutcomeBatch], most: int) -> list[int]:
    return [len(one.outcomes) for one in gather(batches, most)]


@pytest.mark.parametrize(
    ("given_sizes", "joined"),
    [
        ([], []),
        ([3], [3]),
        ([3, 3], [6]),
        ([5, 5, 1], [10, 1]),
        ([4, 4, 4], [8, 4]),
        ([12], [12]),
        ([1, 12, 1], [1, 12, 1]),
    ],
)
def test_gather__joins_up_to_the_most(given_sizes: list[int], joined: list[int]) -> None:
    assert sizes(map(batch, given_sizes), 10) == joined


def test_gather__joins_only_what_was_loaded_at_the_same_moment() -> None:
    later = NOW + timedelta(seconds=1)
    gathered = list(gather([batch(1), batch(1), batch(2, later), batch(1)], 10))
    assert [(len(one.outcomes), one.loaded_at) for one in gathered] == [
        (2, NOW),
        (2, later),
        (1, NOW),
    ]


def test_gather__large_data_is_not_piled_up() -> None:
    large = "x" * (gathering.MAX_CHARACTERS // 4)
    assert sizes([batch(1, data=large) for _ in range(6)], 10) == [4, 2]


def test_gather__what_comes_slowly_is_handed_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_SECONDS", 0)
    assert sizes([batch(1), batch(1)], 10) == [1, 1]


@pytest.mark.parametrize("error", [Interrupted(), ValueError("broken")])
def test_gather__whatever_ends_it_what_is_held_comes_first(error: BaseException) -> None:
    def ending() -> Iterator[OutcomeBatch]:
        yield batch(1)
        yield batch(2)
        raise error

    gathered = gather(ending(), 10)
    assert len(next(gathered).outcomes) == 3
    with pytest.raises(type(error)):
        next(gathered)


def test_gather__that_is_given_up_asks_for_nothing_more() -> None:
    def endless() -> Iterator[OutcomeBatch]:
        while True:
            yield batch(5)

    gathered = gather(endless(), 10)
    assert len(next(gathered).outcomes) == 10
    gathered.close()  # type: ignore[attr-defined]


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(0, 2)), max_size=20), st.integers(1, 12))
def test_gather__loses_nothing_and_keeps_the_order(
    given_batches: list[tuple[int, int]], most: int
) -> None:
    batches = [batch(amount, NOW + timedelta(seconds=late)) for amount, late in given_batches]
    wanted = [(one, each.loaded_at) for each in batches for one in each.outcomes]
    gathered = list(gather(batches, most))
    assert [(one, each.loaded_at) for each in gathered for one in each.outcomes] == wanted
    assert all(len(each.outcomes) <= max(most, 7) for each in gathered)
