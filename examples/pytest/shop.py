"""A shop, as small as it can be and still be wrong in production."""

import datetime
import pathlib
import random
import subprocess
import tempfile


def day_of(timestamp):
    """Returns the day a sale counts for."""
    # The books are kept in UTC, but this is the day of whoever runs the code.
    return datetime.datetime.fromtimestamp(timestamp).date()


def total(prices):
    """Returns the sum of prices in cents."""
    return sum(prices)


def archive(lines):
    """Writes lines to a file of its own and returns how many a tool counts in it."""
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "sales.txt").write_text("".join(f"{line}\n" for line in lines))
    # The shell takes a path with a space for two.
    counted = subprocess.run(
        f"wc -l < {folder}/sales.txt", shell=True, capture_output=True, text=True, check=True
    )
    return int(counted.stdout)


def draw_winner(customers):
    """Returns a customer by chance."""
    return random.choice(customers)
