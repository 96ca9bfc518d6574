"""Uses all of the context and tells what the process sees."""

import os
import sys
import tempfile


def main(input, context):
    print("line one")
    print("line two", file=sys.stderr)
    context.progress(0.5, "half")
    with context.span("outer", {"rows": 3}):
        with context.span("inner"):
            pass
    context.warn("look out")
    context.warn("look out")
    with tempfile.NamedTemporaryFile(delete=False):
        pass
    return {
        "input": input,
        "pid": os.getpid(),
        "cwd": os.getcwd(),
        "env": dict(os.environ),
        "modules": sorted(sys.modules),
        "nan": float("nan"),
        "warnings": ["own"],
    }
