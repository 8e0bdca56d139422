"""fork() in a greenlet of a thread, which is the main thread of the child."""

import os
import threading
import warnings

import greenlet

warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads, from 3.12 on


def body():
    def run():
        return os.fork()

    parked = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
    parked.switch()
    process = greenlet.greenlet(run).switch()
    assert parked.switch("value") == "value"
    if process == 0:
        os._exit(8)
    _, status = os.waitpid(process, 0)
    print("parent sees", os.WEXITSTATUS(status))


thread = threading.Thread(target=body)
thread.start()
thread.join()
