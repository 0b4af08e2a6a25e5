"""The order in which a model's forward pass uses its parameters."""

from lrd_registry.tracing.order_check import check_order
from lrd_registry.tracing.result import Trace, Use
from lrd_registry.tracing.trace_model import trace

__all__ = ["Trace", "Use", "check_order", "trace"]
