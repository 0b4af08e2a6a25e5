"""Wrappers and adapters change no layer, whatever they do to a parameter's name."""
