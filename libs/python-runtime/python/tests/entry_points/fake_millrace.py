"""Stands for the command ``millrace``: writes down what it is called with, and answers as it is told to.

Reads ``FAKE_ANSWER``, a JSON file: ``{lines: [...], document: …, error: {…}, code: 0, wait: false}``.
"""

import json
import os
import signal
import sys
import time

with open(os.environ["FAKE_ANSWER"], encoding="utf-8") as file:
    answer = json.load(file)
with open(os.environ["FAKE_CALLS"], "a", encoding="utf-8") as file:
    file.write(json.dumps({"arguments": sys.argv[1:], "directory": os.getcwd()}) + "\n")
for line in answer.get("lines", []):
    print(line, file=sys.stderr, flush=True)
if answer.get("wait"):
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    print("waiting", file=sys.stderr, flush=True)
    time.sleep(60)
if answer.get("document") is not None:
    print(json.dumps(answer["document"]))
if answer.get("error") is not None:
    print(json.dumps({"error": answer["error"]}, separators=(",", ":")), file=sys.stderr)
sys.exit(answer.get("code", 0))
