"""One module per job that a worker can be told to do: ``main(input: dict, context) -> dict``."""
