"""Rule sets on a model: the one layout that fits, or why none does."""
