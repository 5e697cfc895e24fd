from __future__ import annotations

import pytest
from hypothesis import given, settings

from dwatch.core.wording import describe_cron
from tests.core.cron_strategies import expressions


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/1 * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("*/30 * * * *", "every 30 minutes"),
        ("0 * * * *", "hourly"),
        ("15 * * * *", "hourly at :15"),
        ("30,0 * * * *", "hourly at :00 and :30"),
        ("5 */1 * * *", "every hour at :05"),
        ("0 */2 * * *", "every 2 hours"),
        ("15 */6 * * *", "every 6 hours at :15"),
        ("0 6 * * *", "daily at 06:00"),
        ("30 18,6 * * *", "daily at 06:30 and 18:30"),
        ("0 6,12,18 * * *", "daily at 06:00, 12:00 and 18:00"),
        ("15 3 * * 1", "Mondays at 03:15"),
        ("15 3 * * MON", "Mondays at 03:15"),
        ("0 0 * * 0", "Sundays at 00:00"),
        ("0 0 * * 7", "Sundays at 00:00"),
        ("0 6 * * 1-5", "Mondays to Fridays at 06:00"),
        ("0 6 * * sat,sun", "Saturdays and Sundays at 06:00"),
        ("*/5 * * * mon-fri", "every 5 minutes on Mondays to Fridays"),
        ("0 2 1 * *", "at 02:00 on day 1 of the month"),
        ("0 2 1,15 * *", "at 02:00 on days 1 and 15 of the month"),
        ("0 2 L * *", "at 02:00 on the last day of the month"),
        ("*/10 * 1 * *", "every 10 minutes on day 1 of the month"),
        ("0 0 1 1 *", "at 00:00 on 1 January"),
        ("0 2 29 feb *", "at 02:00 on 29 February"),
    ],
)
def test_words(expression: str, words: str) -> None:
    assert describe_cron(expression) == words


@pytest.mark.parametrize(
    "expression",
    [
        "*/7 * * * *",
        "*/60 * * * *",
        "0 */5 * * *",
        "*/15 9-17 * * *",
        "*/15 2 * * *",
        "1-5 * * * *",
        "1,2,3,4,5 * * * *",
        "0 1,2,3,4,5 * * *",
        "0 0 13 * 5",
        "0 0 * 6 *",
        "0 0 1 1,7 *",
        "0 0 1-7 * *",
        "0 0 * * 1#1",
        "0 0 * * 1-5/2",
        "0 0 * * */2",
        "0 0 1 1 1",
    ],
)
def test_no_words_where_the_expression_is_clearer(expression: str) -> None:
    assert describe_cron(expression) is None


@given(expressions())
@settings(max_examples=300, deadline=None)
def test_words_of_any_expression_are_clean(expression: str) -> None:
    words = describe_cron(expression)
    if words is not None:
        assert words == " ".join(words.split())
        assert "*" not in words
