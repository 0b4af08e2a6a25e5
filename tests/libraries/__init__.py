"""The libraries' own models."""
