"""Long sweeps over every model that the libraries have: `make zoo`."""
