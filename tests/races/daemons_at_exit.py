"""The interpreter ends while daemon threads switch, collect, and drop each other's greenlets."""

import gc
import threading
import time

import racing

shared = [None] * 20


def switcher():
    source = racing.source_of(threading.get_ident())
    while True:
        racing.share_one(shared, source, 0.5)


def looker():
    source = racing.source_of("looker")
    while True:
        each = source.choice(shared)
        if each is not None:
            repr(each)
            each.gr_frame
            each.parent


def short_threads():
    while True:
        thread = threading.Thread(target=racing.parked, daemon=True)
        try:
            thread.start()
        except Exception:  # the interpreter ends
            return
        thread.join()


def collector():
    while True:
        gc.collect()


for body in (switcher, switcher, looker, short_threads, collector):
    threading.Thread(target=body, daemon=True).start()
time.sleep(racing.SECONDS * racing.source_of("end").random() / 2)
print("end", flush=True)
