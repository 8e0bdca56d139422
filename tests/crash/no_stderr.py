"""Complaints of dying greenlets have nowhere to go."""

import sys

import greenlet


def refuse():
    try:
        greenlet.getcurrent().parent.switch()
    except greenlet.GreenletExit:
        greenlet.getcurrent().parent.switch()


def fail():
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        raise ValueError


class Broken:
    def write(self, text):
        raise OSError("broken")


def lives():
    for run in refuse, fail:
        child = greenlet.greenlet(run)
        child.switch()
        del child


before = sys.stderr
for stream in None, Broken():
    sys.stderr = stream
    lives()
del sys.stderr
lives()
sys.stderr = before
print("end")
