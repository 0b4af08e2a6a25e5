"""The order in which a model's forward pass uses its parameters."""

from lrd_registry.tracing.tracing import trace
from lrd_registry.tracing.uses import Trace, Use

__all__ = ["Trace", "Use", "trace"]
