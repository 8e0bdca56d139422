"""Threads that are no daemons still run greenlets while the main thread waits for them."""

import threading

import greenlet

main_is_done = threading.Event()
order = []


def body():
    def run():
        main_is_done.wait()
        threading.main_thread().join()
        greenlet.getcurrent().parent.switch()
        order.append("end")

    child = greenlet.greenlet(run)
    child.switch()
    child.switch()
    print(order, flush=True)


threading.Thread(target=body).start()
main_is_done.set()
