"""The modules are forgotten while greenlets are parked."""

import sys

import greenlet

kept = greenlet
child = greenlet.greenlet(lambda: kept.getcurrent().parent.switch())
child.switch()
for name in [name for name in sys.modules if name.startswith("greenlet")]:
    del sys.modules[name]
del greenlet
print(child.switch("value"))
again = kept.greenlet(lambda: kept.getcurrent().parent.switch())
again.switch()
