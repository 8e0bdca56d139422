"""faulthandler walks the frames of the running greenlet, and only those."""

import faulthandler
import sys

import greenlet


def bottom():
    faulthandler.dump_traceback(sys.stderr, all_threads=True)
    greenlet.getcurrent().parent.switch()
    faulthandler.dump_traceback(sys.stderr, all_threads=True)


def parked():
    greenlet.getcurrent().parent.switch()


def running():
    sorted([1], key=lambda value: bottom())


other = greenlet.greenlet(parked)
other.switch()
child = greenlet.greenlet(running)
child.switch()
faulthandler.dump_traceback(sys.stderr, all_threads=True)
child.switch()
other.switch()
