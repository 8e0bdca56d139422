"""What we do better than the published package, as far as random programs see it.

Each rule takes both logs, ours first, and returns them without the difference that it stands for.
A rule must not hide more than that: everything else is ours to mend.
"""

import re

REASON = "Killing the greenlet because all references have vanished."
VANISHED = "GreenletExit('%s')" % REASON
KILL = re.compile(re.escape(VANISHED) + r"(?P<places> at (\w+:\d+ ?)*)?, during .*?(?=, from | \[)")
GONE = re.compile(r": (?:freed|del) (#\d+) ")
LEFT = re.compile(r"(.*?)(?:~\d+)?: freed (left\d+) ")
# In a line by the greenlet that is ending: whether it is dead, in the state of its slot.
FREED_BY_ITSELF = re.compile(r"(^(#\d+)(?:~\d+)?(?:!\w+)?: freed .*?[\[ ]\2)[DT](>)")
FALSE_THREAD = " context of a greenlet that is running in a different thread"


def kill_is_an_exception(ours, oracle):
    """Before 3.12 its kill, when it ends an unstarted greenlet, is the bare text for the parent."""
    bare = re.compile(r"(?<![(\"'])" + re.escape(REASON))
    return ours, [bare.sub(VANISHED, line) for line in oracle]


def kill_has_no_context(ours, oracle):
    """A kill is not chained to the exception that the killer happens to be handling."""
    return ours, [KILL.sub(VANISHED + r"\g<places>", line) for line in oracle]


def refusing_greenlets_are_freed(ours, oracle):
    """It leaks the object of a greenlet that once refused to die, and all that hangs on it."""
    oracle_frees = {match[1] for line in oracle if (match := GONE.search(line))}
    kept = []
    for line in ours:
        match = GONE.search(line)
        if match is None or match[1] in oracle_frees:
            kept.append(line)
    return kept, oracle


def refusing_greenlets_die_at_last(ours, oracle):
    """Having been refused, it loses the greenlet, and what hangs on its exception, for ever."""
    if not any("GreenletExit did not kill" in line for line in oracle):
        return ours, oracle
    ours, oracle = until_end(ours), until_end(oracle)
    lost = set(who_freed(ours)) - set(who_freed(oracle))
    ours = [line for line in ours if not ((match := LEFT.match(line)) and match[2] in lost)]
    return ours, oracle


def until_end(lines):
    ends = [number for number, line in enumerate(lines) if ": end [" in line]
    return lines[: ends[0]] if ends else lines


def locals_end_inside(ours, oracle):
    """The locals of a killed greenlet are released in that greenlet, not in its killer."""
    by_us, by_oracle = who_freed(ours), who_freed(oracle)
    elsewhere = {
        name
        for name in by_us
        if by_us[name] != by_oracle.get(name) and len(by_us[name]) == len(by_oracle.get(name, ()))
    }

    def is_elsewhere(line):
        match = LEFT.match(line)
        return match is not None and match[2] in elsewhere

    return (
        [line for line in ours if not is_elsewhere(line)],
        [line for line in oracle if not is_elsewhere(line)],
    )


def exits_end_at_once(ours, oracle):
    """The exit that starts a parent is released when that begins, not when it next switches."""
    by_us, by_oracle = release_times(ours), release_times(oracle)
    earlier = {release for release in by_us if by_us[release] < by_oracle.get(release, 0)}
    return (
        [line for line in ours if without_states(line) not in earlier],
        [line for line in oracle if without_states(line) not in earlier],
    )


def exceptions_go_before_the_end(ours, oracle):
    """An exception that no parent takes goes just before its greenlet is dead, there just after."""
    return [FREED_BY_ITSELF.sub(r"\1\3", line) for line in ours], [
        FREED_BY_ITSELF.sub(r"\1\3", line) for line in oracle
    ]


def release_times(lines):
    """For each line that tells of a release, how many that tell of none come before it."""
    found, others = {}, 0
    for line in lines:
        if LEFT.match(line):
            found[without_states(line)] = others
        else:
            others += 1
    return found


def without_states(line):
    return line.partition(" [")[0]


def who_freed(lines):
    """For each object with a logged end, in which greenlets it was freed."""
    found = {}
    for line in lines:
        if match := LEFT.match(line):
            found.setdefault(match[2], []).append(match[1])
    return found


def context_of_a_frameless_greenlet(ours, oracle):
    """A greenlet parked without a Python frame (run=main.switch) is in no other thread."""
    if any(line.startswith("thread") for line in ours):
        return ours, oracle
    for number, line in enumerate(oracle):
        if FALSE_THREAD in line:
            # A trace event may have told of the exception one line earlier.
            return ours[: number - 1], oracle[: number - 1]
    return ours, oracle


RULES = [
    kill_is_an_exception,
    kill_has_no_context,
    refusing_greenlets_are_freed,
    refusing_greenlets_die_at_last,
    locals_end_inside,
    exits_end_at_once,
    exceptions_go_before_the_end,
    context_of_a_frameless_greenlet,
]


def without_known_differences(ours, oracle):
    """Both logs without the differences that are meant."""
    for rule in RULES:
        ours, oracle = rule(ours, oracle)
    return ours, oracle
