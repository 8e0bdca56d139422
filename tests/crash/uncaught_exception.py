"""An exception that no greenlet catches ends the program with a whole traceback."""

import greenlet


def inner():
    raise ValueError("from the greenlet")


def outer():
    greenlet.greenlet(inner).switch()


greenlet.greenlet(outer).switch()
