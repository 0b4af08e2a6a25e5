"""The order in which a model's forward pass uses its parameters."""
