"""sys.exit() in a greenlet ends the program with its code."""

import sys

import greenlet

try:
    greenlet.greenlet(sys.exit).switch(3)
finally:
    print("finally")
