"""The bars: what each figure must reach now, and where it is to go.

A bar on a ratio says how many times better than the published package the
figure must be (less time, less memory).  A bar on the figure itself is for
rows where the other package is no measure.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    kind: str  # "ratio", "at least" or "at most"
    limit: float

    def __str__(self):
        signs = {"ratio": f"{self.limit:g}x", "at least": f">= {self.limit:g}"}
        return signs.get(self.kind, f"<= {self.limit:g}")

    def holds(self, value, ratio):
        """Whether a row with this figure and this ratio passes; a figure
        that could not be had does not."""
        if self.kind == "ratio":
            return ratio is not None and ratio >= self.limit
        if not isinstance(value, (int, float)):
            return False
        if self.kind == "at least":
            return value >= self.limit
        return value <= self.limit


def times(limit):
    return Bar("ratio", limit)


def at_least(limit):
    return Bar("at least", limit)


def at_most(limit):
    return Bar("at most", limit)


GEVENT = {
    "gevent_spawn": times(1.7),
    "gevent_sleep": times(1.25),
    "gevent_queue": times(1.15),
}

# Of greenlets with stacks of their own; CPython 3.12 and later.
DEEP = {
    "switch_python_frames": times(15),
    "switch_c_calls": times(12),
    "switch_deep_10": times(11),
    "switch_deep_1000": times(8),
    "switch_deep_10000": times(9),
    # At most 1.1 times the memory, and less once they are idle.
    "memory_deep": times(1 / 1.1),
    "memory_deep_idle": times(1 / 0.85),
}
DEEP_3_11 = {
    "switch_c_calls": times(12),
    "switch_deep_10": times(6),
    "switch_deep_1000": times(3),
    "switch_deep_10000": times(4),
    "memory_deep": times(1 / 1.3),
    "memory_deep_idle": times(1),
}

SWITCHES = ("switch_two", "switch_value", "switch_siblings", "switch_hub")


def required(version):
    """The bars that a commit must pass on a CPython (major, minor)."""
    if version < (3, 11):
        # No data stack there, hence less to gain.
        return {}
    return {
        **dict.fromkeys(SWITCHES, times(4)),
        "life": times(20),
        "memory_parked": times(2),
    }


def goals(version):
    """The bars that the package is to reach."""
    if version < (3, 11):
        return {
            **dict.fromkeys(SWITCHES, times(4)),
            "life": times(4),
            "kill": times(3),
            **GEVENT,
        }
    bars = {
        **dict.fromkeys(SWITCHES, times(5)),
        "switch_against_generator": at_most(1.6),
        "cold_switch_100000": times(6),
        "cold_100000_against_generators": at_most(5.5),
        "cold_10000_against_generators": at_most(3),
        "life": times(30),
        "life_with_pause": times(20),
        "kill": times(6),
        "create": times(2.5),
        # A few bytes of measuring error must not fail "not more".
        "memory_unstarted": times(0.99),
        "memory_parked": times(3.5),
        "call_at_worst_depth": at_most(3),
        "chain_long_against_short": at_most(2),
        "burst_given_back": at_least(80),
        "burst_second": at_most(1),
        "million_memory": at_most(2),
        "million_time": at_most(3),
        "switch_40_against_two": at_most(1.5),
        # "Not slower", but for what a measurement is uncertain.
        "flask_request": times(0.97),
        # At most these shares of the memory.
        "flask_idle": times(1 / 0.75),
        "flask_waiting": times(1 / 0.8),
        **GEVENT,
        **(DEEP if version >= (3, 12) else DEEP_3_11),
    }
    if version >= (3, 14):
        # The interpreter's own C frames are bigger there.
        bars["memory_parked"] = times(3)
    return bars
