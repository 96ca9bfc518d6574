"""The child process that runs jobs and, in them, the user's own functions."""
