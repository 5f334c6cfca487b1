import pytest

import shop


class TestArchive:
    @pytest.mark.parametrize("count", [1, 40])
    def test_every_sale_is_archived(self, count):
        assert shop.archive([f"sale {number}" for number in range(count)]) == count


@pytest.mark.skip(reason="needs the archive of last year")
def test_last_year_is_archived():
    raise AssertionError
