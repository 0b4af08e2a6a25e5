"""One layout on a model's names → each parameter's layer, or what keeps it from one."""
