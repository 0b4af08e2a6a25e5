"""Training on several processes: each rank has the rates and layers of the whole, bare model."""
