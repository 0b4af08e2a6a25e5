"""Parameter names as the model's author wrote them: what wrappers add is taken off."""
