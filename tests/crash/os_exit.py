"""os._exit() in a greenlet, with others parked."""

import os

import greenlet

other = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
other.switch()
print("exiting", flush=True)
greenlet.greenlet(os._exit).switch(4)
