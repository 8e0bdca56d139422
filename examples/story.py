"""What every example needs: a way to check what it has just shown."""


class WrongEnding(Exception):
    """An example did not end as it should."""


def check(what, got, wanted):
    """Raise unless the example came out as promised."""
    if got != wanted:
        raise WrongEnding(f"{what}: got {got!r}, wanted {wanted!r}")
