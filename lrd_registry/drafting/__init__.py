"""A first rule file for a model that no rule set knows, from its module tree and its trace."""

from lrd_registry.drafting.draft_rules import Draft, draft

__all__ = ["Draft", "draft"]
