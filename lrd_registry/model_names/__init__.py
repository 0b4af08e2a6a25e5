"""A model's parameters, with their names as its author wrote them, without what wrappers add."""
