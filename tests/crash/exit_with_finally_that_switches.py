"""If it is killed at the interpreter's end, a greenlet switches to another one meanwhile."""

import os

import greenlet


def helper(write=os.write):
    write(1, b"helper\n")


def run(make=greenlet.greenlet, helper=helper, write=os.write):
    try:
        greenlet.getcurrent().parent.switch()
    finally:
        make(helper).switch()
        write(1, b"finally\n")


child = greenlet.greenlet(run)
child.switch()
print("end", flush=True)
