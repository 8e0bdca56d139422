"""Qt: event loops in greenlets that are left in main and in threads."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"
# With GLib's loop Qt prints a complaint of GLib's at the end of such a thread.
os.environ["QT_NO_GLIB"] = "1"

from greenlet import getcurrent, greenlet  # noqa: E402
from PySide6 import QtCore, QtWidgets  # noqa: E402

from scenes import collect, held, in_threads, main, scene  # noqa: E402


def forget(new_loop):
    """Leave an event loop that is parked in the callback of a timer."""
    back = getcurrent()

    def run():
        this = getcurrent()  # a cycle through the frame
        loop = new_loop()
        QtCore.QTimer.singleShot(1, lambda thing=held(): back.switch(thing))  # noqa: B008
        loop.exec()
        del this

    greenlet(run).switch()


@scene
def application_in_main():
    application = QtWidgets.QApplication([])
    forget(lambda: application)
    collect()


@scene
def loops_in_main():
    _application = QtWidgets.QApplication([])
    for _ in range(3):
        forget(QtCore.QEventLoop)
    collect()


@scene
def loops_in_threads():
    _application = QtCore.QCoreApplication([])
    in_threads(lambda: forget(QtCore.QEventLoop))
    collect()


if __name__ == "__main__":
    main()
