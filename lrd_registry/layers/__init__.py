"""The result for a model: each parameter's layer, and the scale that comes of it."""
