"""One module of gevent's own tests, out of its published wheel.

Usage: gevent_own_tests.py MODULE     (such as test__pool)
"""

import re
import subprocess
import sys


def main():
    (module,) = sys.argv[1:]
    run = subprocess.run(
        [sys.executable, "-m", f"gevent.tests.{module}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    counted = re.search(r"^Ran (\d+) tests? in", run.stdout, re.MULTILINE)
    verdict = re.search(r"^OK\b.*", run.stdout, re.MULTILINE)
    if run.returncode or not verdict or not counted or not int(counted[1]):
        print(run.stdout)
        sys.exit(f"{module} exited with {run.returncode}")
    print(f"{counted[1]} tests {verdict[0]}")


if __name__ == "__main__":
    main()
