"""The logic of the recipe steps, free of processes and services."""
