"""A rule set and a model's parameters → each parameter's layer, or what keeps it from one."""
