"""GreenletExit in the main greenlet is an ordinary uncaught exception."""

import greenlet

greenlet.getcurrent().throw()
