import datetime

import shop


def test_a_sale_counts_for_its_day():
    opening = datetime.datetime(2026, 3, 1, 0, 30, tzinfo=datetime.timezone.utc)
    closing = datetime.datetime(2026, 3, 1, 23, 30, tzinfo=datetime.timezone.utc)
    days = [shop.day_of(sale.timestamp()) for sale in (opening, closing)]
    assert days == [datetime.date(2026, 3, 1)] * 2


def test_prices_add_up():
    assert shop.total([199, 1, 300]) == 500


def test_nothing_costs_nothing():
    assert shop.total([]) == 0
