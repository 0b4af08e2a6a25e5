"""`arch=…` and a model → the model's assignment."""
