#!/usr/bin/env python3
"""Prints the package's version: greenlet.h says it to programs in C, and so to all."""

import pathlib
import re

header = pathlib.Path(__file__).resolve().parent.parent / "src" / "greenlet" / "greenlet.h"
found = re.search(r'^#define GREENLET_VERSION "(.+)"$', header.read_text(), re.MULTILINE)
if found is None:
    raise SystemExit(f"no GREENLET_VERSION in {header}")
print(found.group(1))
