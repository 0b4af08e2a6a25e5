"""The order of a forward pass, and what contradicts it."""
