"""Drafts: what `lrd init` writes."""
