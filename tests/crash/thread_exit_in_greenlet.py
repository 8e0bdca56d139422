"""_thread.exit() in a greenlet ends its thread, silently."""

import _thread
import threading

import greenlet

order = []


def body():
    other = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
    other.switch()
    greenlet.greenlet(_thread.exit).switch()
    order.append("not reached")


thread = threading.Thread(target=body)
thread.start()
thread.join()
print(order)
