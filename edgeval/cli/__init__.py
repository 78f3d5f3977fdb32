"""Command line: one module per verb; only here is printed, read from the environment, exited."""
