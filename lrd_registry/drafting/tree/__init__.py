"""A model's modules as a draft reads them: a tree, its order of use, the stacks of blocks in it."""
