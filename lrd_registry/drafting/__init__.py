"""A first rule file for a model that no rule set knows, from its module tree and its trace."""
