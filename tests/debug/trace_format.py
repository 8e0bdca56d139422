"""What the Trace Event Format asks of a file, as far as viewers insist on it."""

import json


def checked(path):
    """The file's contents, after everything about them that could be wrong has been looked for."""
    with open(path) as file:
        contents = json.load(file)
    assert set(contents) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert contents["displayTimeUnit"] in ("ms", "ns")
    named = set()
    for event in contents["traceEvents"]:
        assert type(event["name"]) is str and event["name"]
        assert type(event["pid"]) is int and type(event["tid"]) is int
        CHECKS[event["ph"]](event, named)
    check_one_at_a_time(bars(contents))
    return contents


def check_name(event, named):
    assert event["name"] in ("process_name", "thread_name")
    assert set(event) == {"name", "ph", "pid", "tid", "args"}
    assert list(event["args"]) == ["name"] and type(event["args"]["name"]) is str
    track = event["name"], event["pid"], event["tid"]
    assert track not in named
    named.add(track)


def check_bar(event, named):
    assert set(event) == {"name", "cat", "ph", "ts", "dur", "pid", "tid"}
    assert event["ts"] >= 0 and event["dur"] >= 0
    check_named(event, named)


def check_mark(event, named):
    assert set(event) == {"name", "cat", "ph", "ts", "s", "pid", "tid"}
    assert event["s"] == "t" and event["ts"] >= 0
    check_named(event, named)


def check_named(event, named):
    assert ("process_name", event["pid"], 0) in named
    assert ("thread_name", event["pid"], event["tid"]) in named


CHECKS = {"M": check_name, "X": check_bar, "i": check_mark}


def check_one_at_a_time(found):
    """In a thread only one greenlet runs, and somebody always does."""
    for pid in {bar["pid"] for bar in found}:
        own = sorted((bar["ts"], bar["dur"]) for bar in found if bar["pid"] == pid)
        for (ts, duration), (following, _) in zip(own, own[1:]):
            assert abs(ts + duration - following) < 0.01  # microseconds, and floating point


def bars(contents):
    return [event for event in contents["traceEvents"] if event["ph"] == "X"]


def names(contents, thread=None):
    """Of the bars, in order of time, of all threads or of one."""
    chosen = [bar for bar in bars(contents) if thread in (None, threads(contents)[bar["pid"]])]
    return [bar["name"] for bar in sorted(chosen, key=lambda bar: bar["ts"])]


def threads(contents):
    """Their names by number."""
    return {
        event["pid"]: event["args"]["name"]
        for event in contents["traceEvents"]
        if event["name"] == "process_name"
    }


def tracks(contents):
    """Pairs of the thread's name and the greenlet's, in the file's order."""
    return [
        (threads(contents)[event["pid"]], event["args"]["name"])
        for event in contents["traceEvents"]
        if event["name"] == "thread_name"
    ]
