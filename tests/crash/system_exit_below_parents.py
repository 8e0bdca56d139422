"""sys.exit() in a grandchild climbs through all parents."""

import sys

import greenlet


def level(depth):
    try:
        if depth == 0:
            sys.exit("the message")
        greenlet.greenlet(level).switch(depth - 1)
    finally:
        print(depth)


level(3)
