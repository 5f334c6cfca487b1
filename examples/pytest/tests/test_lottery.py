import shop


def test_the_winner_is_not_the_first_customer():
    assert shop.draw_winner(["Ada", "Bo", "Cy"]) != "Ada"
