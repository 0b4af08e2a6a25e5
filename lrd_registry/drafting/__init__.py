"""A first rule file for a model that no rule set knows, from its module tree and its trace."""

from lrd_registry.drafting.drafted import Draft
from lrd_registry.drafting.drafting import draft

__all__ = ["Draft", "draft"]
