"""What a draft writes: entries with names and patterns, and the YAML of a rule file."""
