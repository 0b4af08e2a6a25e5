"""`lrd list`, `show` and `schema`: what rule sets there are, and what they say."""

from __future__ import annotations

from lrd_registry.cli.options import AsJson, Help, RuleName
from lrd_registry.cli.printing import show_output


def list_rule_sets(as_json: AsJson = False, _help: Help = False) -> None:
    """List the registered rule sets, and the rule files at fault."""
    from lrd_registry.cli.render import registry_rows, registry_table
    from lrd_registry.registry.default import bundled_rules, default_catalog

    rows = registry_rows(default_catalog().entries())
    show_output(rows if as_json else registry_table(rows, bundled_rules()))


def show(rule: RuleName, as_json: AsJson = False, _help: Help = False) -> None:
    """Show a rule set: its sources, and the layers of each layout."""
    from lrd_registry.assign.select_rules import find_rule_set
    from lrd_registry.cli.render import rule_set_text
    from lrd_registry.registry.default import default_catalog

    rules = find_rule_set(rule, default_catalog())
    show_output(rules.to_dict() if as_json else rule_set_text(rules))


def schema(_help: Help = False) -> None:
    """Print the JSON Schema of a rule file."""
    from lrd_registry.rule_files.schema import rule_file_schema

    show_output(rule_file_schema())
