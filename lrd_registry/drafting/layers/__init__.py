"""The layers that a draft gives: which stacks count, in which order, and what joins them."""
