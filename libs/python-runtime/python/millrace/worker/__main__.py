"""``python -m millrace.worker``: started by Millrace with frames on file descriptors 3 and 4."""

from millrace.worker.loop import main

# Processes that user code starts may import this module again under another name.
if __name__ == "__main__":
    main()
