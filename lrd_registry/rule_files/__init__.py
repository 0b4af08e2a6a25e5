"""Rule files: YAML text → `RuleSet`, with every fault at its line and column."""
