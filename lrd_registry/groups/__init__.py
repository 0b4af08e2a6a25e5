"""Layers → parameter groups: learning rates, weight decay, and the keys that carry them."""
