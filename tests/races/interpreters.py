"""Interpreters of their own, in threads, beside threads of this one that switch."""

import sys

import racing

try:
    import _interpreters
except ImportError:
    print("skipped: interpreters are not to be had from Python here")
    sys.exit()

CODE = """
import gc, threading
import greenlet

def wait(value):
    return greenlet.getcurrent().parent.switch(value)

def body():
    for _ in range(20):
        own = [greenlet.greenlet(wait) for _ in range(5)]
        assert [each.switch(1) for each in own] == [1] * 5
        own[0].itself = own[0]
        assert [each.switch(2) for each in own[1:]] == [2] * 4
    gc.collect()

body()
thread = threading.Thread(target=body)
thread.start()
body()
thread.join()
"""


def interpreters(kind):
    def run():
        while racing.going():
            one = _interpreters.create(kind)
            try:
                failed = _interpreters.exec(one, CODE)
                assert failed is None, failed
            finally:
                _interpreters.destroy(one)

    return run


def switcher():
    while racing.going():
        parked = [racing.parked() for _ in range(10)]
        parked[0].itself = parked[0]
        for each in parked[1:]:
            assert each.switch("value") == "value"


short_threads = racing.one_by_one(racing.parked)
racing.race(
    interpreters("isolated"), interpreters("isolated"), switcher, short_threads, racing.collecting
)
racing.finish()
