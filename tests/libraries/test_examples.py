"""Rule sets for text, speech, several inputs and detection, on models that have all their names."""

from functools import cache

import pytest

from lrd_registry import CoverageError, assign_layers, get_rule_set
from lrd_registry.patterns.syntax import parse_pattern
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tests.support.libraries.examples import EXAMPLES, RECORDED
from tests.support.one_pattern_less import NOTHING, is_written_out, places, without
from tests.support.releases import is_pinned, release

pytestmark = pytest.mark.library

TRACED = [
    "albert/huggingface",
    "ast/huggingface",
    "bart/huggingface",
    "bert/huggingface",
    "canine/huggingface",
    "deberta/huggingface",
    "distilbert/huggingface",
    "dual_encoder/huggingface_groupvit",
    "funnel/huggingface",
    "gpt2/huggingface",
    "modernbert/huggingface",
    "speecht5/huggingface",
    "wav2vec2/huggingface",
    "wav2vec2/huggingface_sew_d",
    "wav2vec2/huggingface_stable",
    "whisper/huggingface",
    "xlnet/huggingface",
]
"""Those that run in seconds; `make zoo` has all of them."""


@cache
def examples(layout):
    """The layout's models, each with its assignment."""
    if release("transformers") < (5, 24) and not all(e.model in RECORDED for e in EXAMPLES[layout]):
        pytest.skip("transformers before 5.24 has other names for some of them")
    models = [example.build() for example in EXAMPLES[layout]]
    return [(model, assign_layers(model)) for model in models]


@pytest.mark.parametrize("layout", EXAMPLES)
def test_its_models_are_known_to_be_of_it(layout):
    found = {f"{assignment.arch}/{assignment.layout}" for _, assignment in examples(layout)}
    assert found == {layout}


@pytest.mark.parametrize("layout", EXAMPLES)
def test_every_prefix_is_that_of_a_real_model(layout):
    arch, name = layout.split("/")
    written = [n for _, assignment in examples(layout) for n in assignment.written.values()]
    for prefix in get_rule_set(arch).layouts[name].prefix:
        assert any(n.startswith(f"{prefix}.") for n in written), prefix


@pytest.mark.parametrize("layout", EXAMPLES)
def test_without_a_pattern_the_error_names_what_it_covered(layout):
    for place in places(*layout.split("/")):
        texts = place.stands_as()
        found = [(m, a, covered) for m, a in examples(layout) if (covered := by_pattern(a, texts))]
        if not found:  # all that it covers goes by other names, too
            assert any(has_tied_name(a, texts) for _, a in examples(layout)), place
            continue
        model, assignment, covered = min(found, key=lambda each: len(each[1]))
        _, rules = without(place)
        if is_written_out(place) and NOTHING not in str(rules.to_dict()):
            # another pattern covers it then, and puts it elsewhere
            assert assign_layers(model, rules).fingerprint() != assignment.fingerprint(), place
            continue
        with pytest.raises(CoverageError) as caught:
            assign_layers(model, rules)
        if is_written_out(place):
            continue
        names = set(assignment) - {n for n in covered if n in assignment.aliases}
        assert set(caught.value.unmatched) & names == covered & names, place


@pytest.mark.parametrize("layout", TRACED)
def test_no_layer_contradicts_the_order_of_use(layout):
    if not is_pinned("torch"):
        pytest.skip("an older one cannot run all of them without weights")
    model, assignment = examples(layout)[0]
    assert check_order(assignment, trace(model)).contradictions == ()


def by_pattern(assignment, texts):
    """The parameters that a pattern has placed, by its text under any prefix."""
    return {name for name, row in assignment.items() if row.pattern in texts}


def has_tied_name(assignment, texts):
    """Whether a pattern matches one of the names of a tensor that has several."""
    patterns = [parse_pattern(text) for text in texts]
    tied = {n for first, others in assignment.aliases.items() for n in (first, *others)}
    written = [assignment.written[name] for name in tied]
    return any(pattern.match(name) is not None for pattern in patterns for name in written)
