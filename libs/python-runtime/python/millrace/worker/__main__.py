"""``python -m millrace.worker``: started by Millrace with frames on file descriptors 3 and 4."""

from millrace.worker.loop import main

main()
