"""The pattern language: dot-separated names with `{index}`, `*` and `**`."""
