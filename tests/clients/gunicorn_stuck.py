"""A gunicorn worker with gevent that is stuck in a view is looked into, and goes on.

Nothing in the server has been prepared for it.  From CPython 3.14 on the worker is asked, before
that gdb looks.
"""

import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

import environment
from gunicorn_gevent import OPENER, address_of

COMMAND = [sys.executable, "-m", "gunicorn", "gunicorn_stuck_application:application"]
COMMAND += ["--worker-class", "gevent", "--workers", "1"]
COMMAND += ["--bind", "127.0.0.1:0", "--graceful-timeout", "20", "--timeout", "250"]
COMMAND += ["--chdir", str(pathlib.Path(__file__).resolve().parent)]
COMMAND += ["--no-control-socket"]

# What gdb cannot do without.
LACKS = ("no debug information", "gdb is not installed", "Operation not permitted")


def worker_of(lines):
    """Its process, as the server's log tells."""
    for line in lines:
        if found := re.search(r"Booting worker with pid: (\d+)", line):
            return found[1]
    raise AssertionError("gunicorn never started a worker")


def answer(address, path):
    with OPENER.open(address + path, timeout=200) as response:
        return response.read()


def look_into(worker):
    command = [sys.executable, "-m", "greenlet.debug", "attach", worker]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [*COMMAND, "--worker-tmp-dir", folder], cwd=folder, stderr=subprocess.PIPE, text=True
        )
        try:
            address = address_of(server)
            worker = worker_of(server.stderr)
            reader = threading.Thread(target=server.stderr.read)
            reader.start()
            with concurrent.futures.ThreadPoolExecutor() as threads:
                stuck = threads.submit(answer, address, "/stuck" + folder)
                while not pathlib.Path(folder, "stuck").exists():
                    assert not stuck.done(), stuck.result()
                try:
                    seen = look_into(worker)
                finally:
                    pathlib.Path(folder, "go on").touch()
                assert stuck.result(timeout=100) == b"it goes on"
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
            reader.join(60)
        finally:
            server.kill()
    assert code == 0, f"gunicorn exited with {code}"
    if any(lack in seen.stderr for lack in LACKS):
        print(seen.stderr.strip())
        sys.exit(environment.SKIPPED)
    assert seen.returncode == 0, seen.stderr
    (running,) = (each for each in seen.stdout.split("\n\n") if ", running" in each)
    assert " in stuck_here\n" in running, seen.stdout
    assert ", parked" in seen.stdout, seen.stdout
    print("its view is found, and it goes on")


if __name__ == "__main__":
    main()
