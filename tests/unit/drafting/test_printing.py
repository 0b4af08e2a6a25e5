"""What one prints of a draft is the text of a rule file."""

from torch import nn

from lrd_registry import load_rule_set
from lrd_registry.drafting import draft
from lrd_registry.tracing import trace


def drafted():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
    return draft(model, "mine", trace(model, (1, 2)))


def test_printed_it_loads_as_its_rule_set(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(str(drafted()))
    assert load_rule_set(path) == drafted().rule_set


def test_the_repr_is_one_line_and_equal_drafts_have_one_hash():
    found = drafted()
    assert repr(found) == f"<Draft of 'mine', unsure of {len(found.unsure)} choices>"
    assert len({found, drafted()}) == 1
