"""Runs one test of the compiled module: run_one.py MODULE NAME.  Prints why, if there is nothing
to test."""

import importlib.machinery
import importlib.util
import sys


def main():
    path, name = sys.argv[1:]
    loader = importlib.machinery.ExtensionFileLoader("chunk_tests", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    reason = module.run(name)
    if reason is not None:
        print(reason)


main()
