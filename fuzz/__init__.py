"""Rule files, parameter names and patterns from a stranger: nothing but documented errors.

`python -m fuzz` runs every target of `targets.py` under atheris, `python -m fuzz sizes` measures
how time grows with size, and `python -m fuzz TARGET FILE` runs a target on what was kept.
"""
