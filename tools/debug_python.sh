#!/usr/bin/env bash
# Prints the path of a Py_DEBUG interpreter that we support, on Debian the
# system's; installs it if it is missing and apt-get may be used.
set -euo pipefail

name=python3.11-dbg
if ! command -v "$name" >/dev/null; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "no $name: install the package $name" >&2
        exit 1
    fi
    apt-get install -y --no-install-recommends "$name" python3.11-venv >&2
fi
command -v "$name"
