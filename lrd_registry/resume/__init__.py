"""A saved optimizer state against an optimizer: does it fit, and the same moved by name."""
