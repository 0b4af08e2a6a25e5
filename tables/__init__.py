"""The tables in README.md and docs/, as a command makes them: `python -m tables`."""
