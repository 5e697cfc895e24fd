from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections

from dwatch.builtin import SqlCheck
from dwatch.builtin.sqlcheck import BadRow
from dwatch.core.interrupt import Interrupted
from dwatch.core.status import Status
from dwatch.exceptions import DefinitionError
from dwatch.models import Result
from dwatch.services.reports import RunState, StatusCounts
from dwatch.services.trial import try_payload
from tests.running import make_items, make_kind, refresh, run
from tests.testapp.models import Item

NEGATIVE = "SELECT id, name, value FROM testapp_item WHERE value < 0"


@pytest.mark.django_db
def test_rows__of_the_answer_are_problems_and_columns_are_data() -> None:
    items = make_items(-1, -2, 5)
    make_kind(SqlCheck, sql=NEGATIVE, description_column="name")
    done = run()
    assert (done.counts, done.error) == (StatusCounts(critical=2), "")
    result = Result.objects.get(identifier=items[0].pk)
    assert (result.description, result.data) == ("item 0", {"value": -1})
    Item.objects.filter(pk=items[0].pk).update(value=1)
    done = run()
    assert (done.counts, done.vanished) == (StatusCounts(critical=1), 1)
    assert refresh().counts == StatusCounts(critical=1)
    assert try_payload("items", str(items[1].pk)).status is Status.critical
    assert try_payload("items", str(items[2].pk)).outcome == "gone"
    check = make_kind(SqlCheck, sql=NEGATIVE)()
    assert check.get_payload(str(items[1].pk)).columns["value"] == -2
    assert check.get_payload("0") is None


@pytest.mark.django_db
def test_status__can_come_from_a_column_by_name_or_number() -> None:
    make_items(-1, -2, -3, 4)
    make_kind(
        SqlCheck,
        sql="SELECT name, CASE value WHEN -1 THEN 'warning' WHEN -2 THEN 'critical'"
        " WHEN -3 THEN 'bad' ELSE 'ok' END AS status FROM testapp_item",
        identifier_column="name",
        status_column="status",
    )
    done = run()
    assert (done.counts, done.errors) == (StatusCounts(critical=1, warning=1, unknown=1, ok=1), 1)
    assert "status is 'bad', which is no status" in Result.objects.get(status=0).error
    make_kind(
        SqlCheck,
        sql="SELECT name, value FROM testapp_item WHERE value = 4"
        " UNION ALL SELECT 'two', 2 UNION ALL SELECT 'nothing', NULL",
        identifier_column="name",
        status_column="value",
    )
    assert run().counts == StatusCounts(warning=1, unknown=2)


def test_status__what_is_true_is_not_ok() -> None:
    check = make_kind(SqlCheck, sql="SELECT id, value < 0 AS bad", status_column="bad")()
    with pytest.raises(ValueError, match="bad is True, which is no status"):
        check.check(BadRow(1, {"id": 1, "bad": True}))


@pytest.mark.django_db
def test_rows__with_one_name_the_worst_counts() -> None:
    make_kind(
        SqlCheck,
        sql="SELECT 'a' AS id, 2 AS s UNION ALL SELECT 'a', 3 UNION ALL SELECT 'a', 0",
        status_column="s",
    )
    done = run()
    assert (done.counts, done.duplicates) == (StatusCounts(critical=1), 2)
    assert refresh().counts == StatusCounts(critical=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT name FROM testapp_item", "the answer has no column 'id'"),
        ("SELECT id, name AS id FROM testapp_item", "several columns called 'id'"),
    ],
)
def test_run__fails_for_an_answer_without_names(sql: str, words: str) -> None:
    make_items(1)
    make_kind(SqlCheck, sql=sql)
    done = run()
    assert (done.state, done.counts.total) == (RunState.failed, 0)
    assert words in done.error


@pytest.mark.django_db
def test_run__a_row_without_a_name_is_unknown() -> None:
    make_kind(SqlCheck, sql="SELECT NULL AS id, 'x' AS name")
    assert run().counts == StatusCounts(unknown=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sql", ["SELECT id FROM no_such_table", "SELECT 100 % 0 AS id, nil"])
def test_run__fails_visibly_for_sql_that_the_database_refuses(sql: str) -> None:
    make_kind(SqlCheck, sql=sql)
    done = run()
    assert (done.state, done.errors) == (RunState.failed, 1)
    Item.objects.create(name="still writable")


WRITES = {
    "sqlite": "WITH a AS (SELECT 1) INSERT INTO testapp_item (name, value, note)"
    " SELECT 'no', 1, '' FROM a",
    "postgresql": "WITH a AS (DELETE FROM testapp_item RETURNING id) SELECT id FROM a",
    "mysql": "SELECT id FROM testapp_item FOR UPDATE",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", [None, "IMMEDIATE"])
def test_run__cannot_write(mode: str | None, monkeypatch: Any) -> None:
    # How SQLite's transactions begin; the others do not look at it.
    monkeypatch.setattr(connections["default"], "transaction_mode", mode, raising=False)
    make_items(1)
    make_kind(SqlCheck, sql=WRITES[connection.vendor])
    done = run()
    assert Item.objects.count() == 1
    assert done.state is RunState.failed
    Item.objects.create(name="afterwards writing is possible")
    Item.objects.filter(name__startswith="afterwards").update(value=-1)
    make_kind(SqlCheck, sql=NEGATIVE)
    assert run().counts == StatusCounts(critical=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(1, 6))
def test_generate__interrupted_anywhere_leaves_the_connection_as_it_was(number: int) -> None:
    check = make_kind(SqlCheck, sql=NEGATIVE)()
    seen = 0

    def interrupt(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal seen
        seen += sql != "BEGIN"  # where Django itself cannot be interrupted
        answer = execute(sql, *rest)
        if seen == number and sql != "BEGIN":
            raise Interrupted
        return answer

    with connection.execute_wrapper(interrupt), suppress(Interrupted):
        check.generate()
    Item.objects.create(name="still writable")
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@SESSION.time_zone = @@GLOBAL.time_zone")
            assert cursor.fetchone() == (1,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "select id from testapp_item -- comment; with semicolon",
        "\n  -- first a comment\n/* and; another */ SELECT\nid FROM testapp_item;",
        "WITH x AS (SELECT id FROM testapp_item) SELECT id FROM x ;  ",
        "SELECT id FROM testapp_item WHERE name <> ';'",
        "SELECT id FROM testapp_item WHERE name LIKE '100 %' OR name <> '%s'",
    ],
)
def test_register__accepts_one_question(sql: str) -> None:
    make_items(1)
    make_kind(SqlCheck, sql=sql)
    assert run().counts == StatusCounts(critical=1)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"sql": ""}, "has no sql"),
        ({"sql": None}, "has no sql"),
        ({"sql": "DELETE FROM testapp_item"}, "does not begin with SELECT or WITH"),
        ({"sql": "/* SELECT */ UPDATE x SET y = 1"}, "does not begin with SELECT or WITH"),
        ({"sql": "-- only a comment"}, "does not begin with SELECT or WITH"),
        ({"sql": "SELECT 1; DELETE FROM x"}, "several statements"),
        ({"using": "elsewhere"}, "no database of the settings"),
        ({"status": None}, "status is None"),
        ({"identifier_column": None}, "identifier_column is no text"),
    ],
)
def test_register__refuses_mistakes(members: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        make_kind(SqlCheck, **{"sql": NEGATIVE, **members})
    assert words in raised.value.message
    assert raised.value.hint
