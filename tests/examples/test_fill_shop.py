"""fill_shop makes exactly the defects it advertises, and the same ones each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.examples.shop_project import ShopProject

# Written apart from the checks and from the rules that made the rows.
DEFECTS = {
    ("WalletBalance", "critical"): "SELECT 1 FROM shop_wallet WHERE balance < 0",
    ("DuplicateEmails", "warning"): (
        "SELECT 1 FROM shop_customer GROUP BY lower(email) HAVING count(*) = 2"
    ),
    ("DuplicateEmails", "critical"): (
        "SELECT 1 FROM shop_customer GROUP BY lower(email) HAVING count(*) > 2"
    ),
    ("OrderTotals", "warning"): """
        SELECT 1 FROM shop_order JOIN shop_orderline ON order_id = shop_order.id
        GROUP BY shop_order.id
        HAVING abs(total - sum(quantity * unit_price)) BETWEEN 0.005 AND 0.995""",
    ("OrderTotals", "critical"): """
        SELECT 1 FROM shop_order JOIN shop_orderline ON order_id = shop_order.id
        GROUP BY shop_order.id
        HAVING abs(total - sum(quantity * unit_price)) > 0.995""",
    ("OverdueInvoices", "warning"): """
        SELECT 1 FROM shop_invoice WHERE paid_on IS NULL
        AND julianday(:today) - julianday(due_on) BETWEEN 1 AND 30""",
    ("OverdueInvoices", "critical"): """
        SELECT 1 FROM shop_invoice WHERE paid_on IS NULL
        AND julianday(:today) - julianday(due_on) > 30""",
    ("ParcelTracking", "warning"): (
        "SELECT 1 FROM shop_order WHERE state = 'shipped' AND tracking_code = ''"
    ),
    ("ParcelTracking", "unknown"): """
        SELECT 1 FROM shop_order WHERE state = 'shipped'
        AND tracking_code <> '' AND tracking_code NOT LIKE '%-%'""",
    ("WaitingOrders", "warning"): """
        SELECT 1 FROM shop_order WHERE state = 'paid'
        AND julianday(:today) - julianday(placed_on) BETWEEN 4 AND 7""",
    ("WaitingOrders", "critical"): """
        SELECT 1 FROM shop_order WHERE state = 'paid'
        AND julianday(:today) - julianday(placed_on) > 7""",
    ("DailyOrders", "ok"): """
        SELECT DISTINCT placed_on FROM shop_order
        WHERE julianday(:today) - julianday(placed_on) BETWEEN 1 AND 14""",
    ("ProductStock", "warning"): (
        "SELECT 1 FROM shop_product WHERE NOT discontinued AND stock BETWEEN 1 AND 9"
    ),
    ("ProductStock", "critical"): (
        "SELECT 1 FROM shop_product WHERE NOT discontinued AND stock = 0"
    ),
    ("ProductMargin", "warning"): (
        "SELECT 1 FROM shop_product WHERE price >= cost AND price - cost < cost / 10"
    ),
    ("ProductMargin", "critical"): "SELECT 1 FROM shop_product WHERE price < cost",
    ("OrderStates", "critical"): """
        SELECT 1 FROM shop_order WHERE state NOT IN ('open', 'paid', 'shipped', 'cancelled')""",
}
TABLES = {
    "WalletBalance": "SELECT 1 FROM shop_wallet",
    "OrderTotals": "SELECT 1 FROM shop_order",
    "OverdueInvoices": "SELECT 1 FROM shop_invoice",
    "ParcelTracking": "SELECT 1 FROM shop_order WHERE state = 'shipped'",
    "WaitingOrders": "SELECT 1 FROM shop_order WHERE state = 'paid'",
    "ProductStock": "SELECT 1 FROM shop_product WHERE NOT discontinued",
    "ProductMargin": "SELECT 1 FROM shop_product",
    "OrderStates": "SELECT 1 FROM shop_order",
    "LostOrderLines": "SELECT 1 FROM shop_orderline",
}


@pytest.mark.parametrize("customers", [1, 200, 1_013])
def test_the_shop_has_exactly_the_advertised_defects(shop: ShopProject, customers: int) -> None:
    advertised = shop.fill(customers)

    found = {key: shop.count(sql) for key, sql in DEFECTS.items()}
    judged = {check: shop.count(sql) for check, sql in TABLES.items()}

    assert found == {(check, word): advertised[check].get(word, 0) for check, word in DEFECTS}
    assert judged == {check: sum(advertised[check].values()) for check in TABLES}
    assert shop.count("SELECT 1 FROM shop_customer") == customers


def test_every_kind_of_defect_occurs_in_a_shop_of_the_default_size(shop: ShopProject) -> None:
    advertised = shop.fill(200)

    assert all(advertised[check].get(word, 0) > 0 for check, word in DEFECTS)


def test_two_shops_of_one_size_are_equal(shop: ShopProject, other_shop: ShopProject) -> None:
    shop.fill(150)
    other_shop.fill(150)

    assert shop.content() == other_shop.content()
    assert len(shop.content()) == 6


def test_filling_again_replaces_what_was_there(shop: ShopProject) -> None:
    shop.fill(120)
    before = shop.content()

    shop.fill(310)
    larger = shop.content()
    shop.fill(120)

    assert len(larger["shop_customer"]) == 310
    assert shop.content() == before


def test_filling_again_keeps_the_people(shop: ShopProject) -> None:
    people = "SELECT id, username, password, is_superuser FROM auth_user ORDER BY id"
    members = "SELECT user_id, group_id FROM auth_user_groups ORDER BY id"
    shop.fill(10)
    before = shop.rows(people), shop.rows(members)

    shop.fill(10)

    assert (shop.rows(people), shop.rows(members)) == before


def test_dates_are_counted_back_from_the_day_given(shop: ShopProject) -> None:
    dates = "SELECT julianday(placed_on) FROM shop_order ORDER BY id"
    shop.fill(60, today="2026-03-02")
    before = shop.rows(dates)

    shop.fill(60, today="2026-03-12")

    assert shop.rows(dates) == [(day + 10,) for (day,) in before]


def test_the_superuser_can_sign_in(shop: ShopProject) -> None:
    shop.fill(1)

    printed = shop.manage(
        "shell",
        "--no-imports",
        "--command=from django.contrib.auth import authenticate;"
        "user = authenticate(username='example', password='datawatch');"
        "print(user.is_superuser)",
    )

    assert printed == "True\n"


@pytest.mark.parametrize("customers", ["0", "-5"])
def test_a_shop_without_customers_is_refused(shop: ShopProject, customers: str) -> None:
    finished = shop.run("manage.py", "fill_shop", f"--customers={customers}")

    assert finished.returncode == 1
    assert finished.stderr == "CommandError: --customers must be at least 1\n"


def test_the_defects_are_known_without_django(shop: ShopProject) -> None:
    finished = shop.run(
        "-c",
        "import sys; from shop.defects import expected_results;"
        "print(expected_results(1_000_000)['WalletBalance']['critical'], 'django' in sys.modules)",
    )

    assert finished.stdout == "20000 False\n"
