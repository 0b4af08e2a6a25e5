"""Rule sets for classes of models: each layout on real models that together have all its names."""

import pytest
import timm
import torch
from torchvision.models import get_model

from lrd_registry import CoverageError, assign_layers, build_param_groups, get_rule_set
from lrd_registry.engine.compile_layout import compile_layout
from lrd_registry.models import build_model
from lrd_registry.rule_files.load import rule_set_from_mapping
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tests.support.building import model_with, parameter, timm_model
from tests.support.libraries.families import HEADLESS, TIMM, TORCHVISION, TRANSFORMERS
from tests.support.releases import is_pinned, need_type, release

pytestmark = pytest.mark.library

ON_CPU = ("regnet",)
"""What torchvision computes while it builds them, it cannot on the meta device."""
WITHOUT_WEIGHTS = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}
VIDEO = (1, 3, 16, 224, 224)
INPUTS = {"inception_v3": (2, 3, 299, 299)} | dict.fromkeys(
    ("mvit_v2_s", "r3d_18", "s3d", "swin3d_t"), VIDEO
)
OPTIONS = {
    f"{arch}/timm": {"num_classes": 10} for arch in ("deepseek_vit", "gemma4_vit", "qwen3_vit")
}
"""What their classes are built with, as they have no head by default."""
UNTRACED = {"perceiver:PerceiverForMaskedLM"}
"""What does not say what it takes."""
ROLES = ("match", "first", "last", "previous", "outside")
LAYOUTS = sorted({*TIMM, *TORCHVISION, *TRANSFORMERS})


def torchvision_model(name):
    with torch.device("cpu" if name.startswith(ON_CPU) else "meta"):
        return get_model(name, weights=None, **WITHOUT_WEIGHTS.get(name, {}))


def models(layout):
    """The models of a layout, and those with a head that some have by option."""
    for name in filter(timm.is_model, TIMM.get(layout, ())):  # an older release has fewer
        yield name, timm_model(name)
        if layout in OPTIONS and not name.endswith("_enc"):
            yield name, timm_model(name, **OPTIONS[layout])
    for name in TORCHVISION.get(layout, ()):
        yield name, torchvision_model(name)
    for name in TRANSFORMERS.get(layout, ()):
        if release("transformers") < (5, 24):
            pytest.skip("transformers before 5.24 has other names for some of them")
        need_type(f"hf:{name}")
        model = build_model(f"hf:{name}")
        yield name, model
    if layout in HEADLESS:
        model.head = torch.nn.Linear(1, 1)
        yield f"{name} with a head", model


def is_signed(layout, model):
    """Whether its names alone would say that the layout is to be tried."""
    arch, name = layout.split("/")
    own = get_rule_set(arch).layouts[name]
    names = {parameter for parameter, _ in model.named_parameters()}
    return any(compile_layout(own, prefix).signature.is_on(names) for prefix in own.prefixes)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_its_models_are_known_by_their_class_and_in_the_order_of_use(layout):
    for name, model in models(layout):
        assignment = assign_layers(model)
        found = f"{assignment.arch}/{assignment.layout}", assignment.known_by
        assert found == (layout, "class")
        assert is_signed(layout, model), name
        inputs = INPUTS.get(name, (2, 3, 224, 224)) if name in TORCHVISION.get(layout, ()) else None
        if is_pinned("torch") and name not in UNTRACED:  # an older one cannot run all of them
            check = check_order(assignment, trace(model, inputs))
            assert check.contradictions == (), name


@pytest.mark.parametrize("layout", sorted(TIMM))
def test_without_a_head_or_as_features_nothing_has_another_scale(layout):
    name = TIMM[layout][0]
    if not timm.is_model(name):
        pytest.skip(f"timm {timm.__version__} has no {name}")
    whole = assign_layers(timm_model(name))
    headless = assign_layers(timm_model(name, num_classes=0))
    assert headless.num_layers == whole.num_layers
    assert {n: row.layer for n, row in headless.items()} == {n: whole[n].layer for n in headless}
    try:
        features = assign_layers(timm_model(name, features_only=True))
    except (RuntimeError, AttributeError) as error:
        pytest.skip(f"timm gives no features of it: {error}")
    assert {features.written[n]: row.layer for n, row in features.items()} == {
        features.written[n]: whole[features.written[n]].layer for n in features
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_pattern_the_error_names_what_it_covered(layout):
    arch, name = layout.split("/")
    entries = get_rule_set(arch).layouts[name].entries
    left = {
        (number, role, pattern.text)
        for number, (_, entry) in enumerate(entries)
        for role in ROLES
        for pattern in getattr(entry, role)
        if not any(pattern.is_literal_of(p) for _, other in entries for p in other.match)
    }
    for _, model in models(layout):
        assignment = assign_layers(model)
        used = {row.pattern for row in assignment.values()}
        prefix = next((p for p in get_rule_set(arch).layouts[name].prefix if _under(p, used)), "")
        for number, role, text in sorted(left):
            in_place = f"{prefix}.{text}" if prefix and role != "outside" else text
            covered = {n for n, row in assignment.items() if row.pattern == in_place}
            if covered and covered <= assignment.aliases.keys():
                left.discard((number, role, text))  # the model has them by other names, too
            elif covered:
                with pytest.raises(CoverageError) as caught:
                    assign_layers(model, without(arch, name, number, role, text))
                other_names = {other for names in assignment.aliases.values() for other in names}
                assert set(caught.value.unmatched) - other_names == covered - other_names
                left.discard((number, role, text))
    if not all(map(is_pinned, ("timm", "torchvision", "transformers"))):
        return  # an older release has not all of them
    last = entries[-1][1]
    by_its_user = {(len(entries) - 1, "match", pattern.text) for pattern in last.outside}
    assert left <= by_its_user, "an encoder alone has no head but one that its user gives it"


def _under(prefix, patterns):
    return any(pattern.startswith(f"{prefix}.") for pattern in patterns)


def without(arch, layout, number, role, text):
    """The rule set without one pattern; an entry left with none matches nothing."""
    rules = get_rule_set(arch)
    data = rules.to_dict()
    ((name, entry),) = data["layouts"][layout]["layers"][number].items()
    entry[role].remove(text)
    if not entry["match"]:
        indices = rules.layouts[layout].entries[number][1].match[0].indices
        entry["match"] = ["nothing-has-this-name" + "".join(f".{{{index}}}" for index in indices)]
    data["layouts"] = {layout: data["layouts"][layout]}
    assert name in data["layouts"][layout]["layers"][number]
    return rule_set_from_mapping(data)


def test_an_encoder_with_a_head_of_its_users_is_known():
    if not timm.is_model("gemma4_vit_167m_enc"):
        pytest.skip(f"timm {timm.__version__} has no Gemma 4")
    names = [name for name, _ in timm_model("gemma4_vit_167m_enc").named_parameters()]
    model = model_with({name: parameter(2, 2) for name in [*names, "head.weight"]})
    assignment = assign_layers(model)
    assert assignment["head.weight"].layer == assignment.num_layers - 1


@pytest.mark.parametrize("layout", sorted(TIMM))
def test_what_timm_exempts_from_weight_decay_is_known_from_names_alone(layout):
    arch, _ = layout.split("/")
    for name in filter(timm.is_model, TIMM[layout]):
        model = timm_model(name)
        layers = assign_layers(model)
        alone = build_param_groups(list(model.named_parameters()), layers)
        assert exempt(alone) == exempt(build_param_groups(model, layers)), f"{arch}: {name}"


def exempt(groups):
    return {n for group in groups if not group["weight_decay"] for n in group["param_names"]}
