"""Let a C++ exception escape: run as `script_uncaught.py EXTENSION PLACE`, must abort."""

import sys

import greenlet

import client_build

client = client_build.load_extension("capi_client_cpp", sys.argv[1])


def throw():
    client.throw_uncaught()


def main():
    client.throw_uncaught()


def run():
    greenlet.greenlet(client.throw_uncaught).switch()


def below_python():
    greenlet.greenlet(throw).switch()


def in_try_of_parent():
    """The parent's catch block is not on the stack of the thrower."""
    client.switch_in_try(throw)


def after_switch():
    def park_and_throw():
        greenlet.getcurrent().parent.switch()
        client.throw_uncaught()

    waiting = greenlet.greenlet(park_and_throw)
    waiting.switch()
    waiting.switch()


print("about to throw", flush=True)
{each.__name__: each for each in (main, run, below_python, in_try_of_parent, after_switch)}[
    sys.argv[2]
]()
