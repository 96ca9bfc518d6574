"""Starts a process of its own, says so, and computes without pause."""

import os
import subprocess
import sys


def main(input, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    context.progress(0, f"{os.getpid()} {child.pid}")
    while input["spin"]:
        pass
    return {}
