"""gunicorn with its gevent worker, serving HTTP to a real client.

Some hundred requests from several threads, every body checked; then SIGTERM
and a clean exit.
"""

import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

THREADS = 8
REQUESTS = 400
WORKERS = 2

COMMAND = [sys.executable, "-m", "gunicorn", "gunicorn_application:application"]
COMMAND += ["--worker-class", "gevent", "--workers", str(WORKERS)]
COMMAND += ["--bind", "127.0.0.1:0", "--graceful-timeout", "20"]
COMMAND += ["--chdir", str(pathlib.Path(__file__).resolve().parent)]
COMMAND += ["--no-control-socket"]  # it would be made outside of the test's folder

# A proxy of the machine has no business with loopback addresses.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def address_of(server):
    """Read the server's log until it tells where it listens."""
    log = []
    for line in server.stderr:
        log.append(line)
        if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError("gunicorn never listened:\n" + "".join(log))


def request(address, number):
    """Whether request `number` is answered as it ought to be."""
    path = f"/request/{number}"
    body = b"%d;" % number * (1 + number * 31 % 3000)
    with OPENER.open(address + path, data=body, timeout=60) as response:
        return response.read() == path.encode() + b"\n" + body[::-1]


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [*COMMAND, "--worker-tmp-dir", folder],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            address = address_of(server)
            log = []
            # The pipe is emptied all the while, or gunicorn would block on it.
            reader = threading.Thread(target=lambda: log.extend(server.stderr))
            reader.start()
            with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
                numbers = range(REQUESTS)
                right = list(threads.map(lambda n: request(address, n), numbers))
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
            reader.join(60)
        finally:
            server.kill()
    assert right.count(True) == REQUESTS, right.count(True)
    assert code == 0, f"gunicorn exited with {code}: {''.join(log)}"
    assert "Traceback" not in "".join(log), "".join(log)
    print(f"{REQUESTS} requests answered, clean exit")


if __name__ == "__main__":
    main()
