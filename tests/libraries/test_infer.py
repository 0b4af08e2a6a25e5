"""`arch="infer"`: the layers of a draft without a file, and a warning that says how to keep it."""

import warnings

import pytest
import timm
import torch
from torch import nn
from transformers import DebertaV2Config, DebertaV2Model

import lrd_registry
from lrd_registry import (
    CoverageError,
    InvalidArgumentError,
    ModelError,
    NoFittingArchitectureError,
    RuleFileError,
    assign_layers,
    build_param_groups,
    list_architectures,
    load_rule_set,
    register_rules,
)
from lrd_registry.assign import infer
from lrd_registry.assign.model_origin import origin
from lrd_registry.drafting import draft
from lrd_registry.models import build_model
from lrd_registry.tracing import trace
from tests.support.building import layers_of, timm_model

pytestmark = pytest.mark.library


@pytest.fixture(autouse=True)
def forget_warnings():
    infer._warn.cache_clear()


def inferred(model):
    with pytest.warns(UserWarning, match=r'^arch="infer"') as caught:
        assignment = assign_layers(model, "infer")
    (warning,) = caught
    return assignment, str(warning.message)


class Saying(nn.Sequential):
    """A network that says what it takes, as timm's do."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(*(modules or (nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))))
        self.pretrained_cfg = {"input_size": (3, 8, 8)}


def test_the_layers_are_those_of_the_file_that_the_warning_would_write(lrd, tmp_path, monkeypatch):
    assignment, warning = inferred(timm_model("resnet18"))
    *_, command = warning.splitlines()
    assert command == (
        'To read it and keep it: lrd_registry.draft(model).save("my.yaml"), or '
        'lrd init timm:resnet18 -o my.yaml; then pass arch="my.yaml".'
    )
    monkeypatch.chdir(tmp_path)
    assert lrd("init", "timm:resnet18", "-o", "my.yaml")[0] == 0
    kept = assign_layers(timm_model("resnet18"), "my.yaml")
    assert layers_of(kept) == layers_of(assignment)
    assert kept.fingerprint() == assignment.fingerprint()


def test_every_trainable_parameter_is_in_one_group_at_its_scale():
    with pytest.warns(UserWarning, match="are a draft"):
        groups = build_param_groups(Saying(), "infer", layer_decay=0.5, lr=1.0)
    assert [(group["lr"], group["param_names"]) for group in groups] == [
        (0.5, ["0.weight"]),
        (0.5, ["0.bias"]),
        (1.0, ["1.weight"]),
        (1.0, ["1.bias"]),
    ]


def test_it_warns_once_whatever_changes_the_filters_in_between():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assign_layers(Saying(), "infer")
        build_param_groups(Saying(), "infer")
    assert len(caught) == 1


@pytest.mark.parametrize("call", [assign_layers, build_param_groups])
def test_the_warning_points_at_the_call(call):
    with pytest.warns(UserWarning, match="Saying are a draft") as caught:
        call(Saying(), "infer")
    assert caught[0].filename == __file__


def test_the_choices_that_the_draft_was_unsure_of_are_in_the_warning():
    model = Saying(nn.Conv2d(3, 4, 1), nn.Identity(), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))
    _, warning = inferred(model)
    choices = warning.splitlines()
    assert choices[0].endswith("one forward pass; look at these choices:")
    assert choices[1].startswith("- No run of blocks without holes was found")


def test_a_model_that_is_wrapped_and_partly_frozen_has_the_same_layers():
    plain, warning = inferred(timm_model("resnet18"))
    model = timm_model("resnet18")
    model.conv1.requires_grad_(False)
    infer._warn.cache_clear()
    wrapped, again = inferred(nn.DataParallel(model))
    assert again == warning
    assert wrapped.fingerprint() == plain.fingerprint()
    assert wrapped.arch == plain.arch == "inferred"


def test_a_class_may_be_called_anything():
    class _Größe(Saying):
        pass

    assert layers_of(inferred(_Größe())[0]) == layers_of(inferred(Saying())[0])


def test_the_model_is_left_as_it_was():
    model = timm.create_model("test_resnet")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inferred(model)
    assert model.training
    assert all(torch.equal(before[name], found) for name, found in model.state_dict().items())


def test_pairs_cannot_be_run():
    with pytest.raises(InvalidArgumentError) as caught:
        assign_layers(Saying().named_parameters(), "infer")
    assert str(caught.value) == (
        'arch="infer" runs the model once, to see in which order it uses its parameters, and '
        "found only (name, parameter) pairs; pass the module"
    )


def test_a_model_that_does_not_say_what_it_takes_is_an_error_with_the_way_out():
    with pytest.raises(ModelError) as caught:
        assign_layers(nn.Sequential(nn.Linear(2, 2)), "infer")
    assert str(caught.value) == (
        'arch="infer" runs the model once: Sequential does not say what it takes, as models of '
        "timm, transformers, torchvision and open_clip do; pass inputs: a shape such as "
        "(2, 3, 224, 224), tensors, or a mapping by argument name\n"
        'Inputs go into the same call: build_param_groups(model, arch="infer", inputs=…), and so '
        "with assign_layers."
    )


@pytest.mark.parametrize(
    "inputs",
    [(1, 2), [(1, 2)], {"input": (1, 2)}, torch.ones(1, 2)],
    ids=["shape", "list", "mapping", "tensor"],
)
@pytest.mark.parametrize("call", [assign_layers, build_param_groups])
def test_it_is_run_on_the_inputs_that_are_given(call, inputs):
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    with pytest.warns(UserWarning, match="are a draft") as caught:
        found = call(model, "infer", inputs=inputs)
    assert caught[0].filename == __file__
    if call is build_param_groups:
        found = {group["param_names"][0]: group for group in found}
        assert [group["layer"] for group in found.values()] == [0, 1]
    else:
        assert layers_of(found) == {"0.weight": 0, "1.weight": 1}


@pytest.mark.parametrize(
    ("arch", "shown"),
    [
        ("auto", "'auto'"),
        ("vit", "'vit'"),
        ({"arch": "one", "layers": [{"all": "**"}]}, "dict"),
    ],
)
@pytest.mark.parametrize("call", [assign_layers, build_param_groups])
def test_inputs_are_refused_where_nothing_is_run(call, arch, shown):
    with pytest.raises(InvalidArgumentError) as caught:
        call(nn.Linear(2, 2), arch, inputs=(1, 2))
    assert str(caught.value) == (
        'inputs are for arch="infer", which runs the model on them; a rule set needs no run, so '
        f"leave inputs out; found arch={shown}"
    )


def test_where_the_inputs_do_not_fit_no_others_are_asked_for():
    with pytest.raises(ModelError) as caught:
        assign_layers(nn.Sequential(nn.Linear(2, 2)), "infer", inputs=(1, 3))
    assert str(caught.value) == (
        'arch="infer" runs the model once: Sequential cannot be traced: aten.addmm in 0: '
        "RuntimeError: a and b must have same reduction dim, but got [1, 3] X [2, 2]."
    )


def test_where_what_was_made_does_not_fit_it_is_said_with_the_way_out():
    model = Saying(nn.Conv2d(4, 4, 1))
    with pytest.raises(ModelError) as caught:
        assign_layers(model, "infer")
    first, last = str(caught.value).splitlines()
    assert first.endswith(
        ", on what was made for it: (2, 3, 8, 8); pass inputs: a shape such as (2, 3, 224, 224), "
        "tensors, or a mapping by argument name"
    )
    assert last == (
        'Inputs go into the same call: build_param_groups(model, arch="infer", inputs=…), and so '
        "with assign_layers."
    )


def test_a_prefix_is_refused():
    with pytest.raises(InvalidArgumentError, match="drafts the layers of the whole model"):
        assign_layers(Saying(), "infer", prefix="0")


def test_no_rule_set_can_have_the_name():
    with pytest.raises(RuleFileError) as caught:
        register_rules({"arch": "infer", "layers": [{"all": "**"}]})
    assert 'arch="infer" means "draft one from the model"' in str(caught.value)


@pytest.mark.parametrize(
    "name", ["timm:resnet18", "timm:vit_tiny_patch16_224", "hf:resnet:ResNetForImageClassification"]
)
def test_a_model_is_known_by_the_name_that_builds_it(name):
    model = build_model(name)
    assert origin(model) == name
    assert [n for n, _ in build_model(origin(model)).named_parameters()] == [
        n for n, _ in model.named_parameters()
    ]


def test_another_number_of_classes_is_the_same_model_to_a_rule_file():
    assert origin(timm.create_model("test_resnet", num_classes=3)) == "timm:test_resnet"


@pytest.mark.parametrize(
    "model",
    [
        timm.create_model("test_resnet", num_classes=0),
        timm.create_model("test_vit", global_pool="avg"),
        timm.create_model("test_vit", depth=3),
        timm.create_model("test_resnet", features_only=True),
        build_model("torchvision:resnet18"),
        Saying(),
    ],
    ids=["headless", "other pooling", "deeper", "features", "torchvision", "a class of one's own"],
)
def test_a_model_that_no_name_builds_has_none(model):
    assert origin(model) is None


def test_a_configuration_that_is_not_the_default_has_no_name():
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4}
    relative = DebertaV2Config(relative_attention=True, num_hidden_layers=12, **sizes)
    with torch.device("meta"):
        assert origin(DebertaV2Model(relative)) is None
        assert origin(DebertaV2Model(DebertaV2Config(**sizes))) == "hf:deberta-v2:DebertaV2Model"


def test_a_model_without_a_name_is_drafted_in_python(tmp_path, monkeypatch):
    assignment, warning = inferred(model := Saying())
    *_, last = warning.splitlines()
    assert last == (
        'To read it and keep it: lrd_registry.draft(model).save("my.yaml"); then pass '
        'arch="my.yaml".'
    )
    monkeypatch.chdir(tmp_path)
    lrd_registry.draft(model).save("my.yaml")
    assert layers_of(assign_layers(model, "my.yaml")) == layers_of(assignment)


@pytest.mark.filterwarnings("default")
def test_the_command_line_infers_too_and_says_so_on_one_line(lrd):
    status, out, error = lrd("explain", "resnet18", "--arch", "infer")
    assert status == 0
    assert out.startswith("resnet18: inferred (layout default), 10 layers")
    assert error.startswith('lrd: arch="infer": the layers of ResNet are a draft')
    assert len(error.splitlines()) == 2
    assert lrd("trace", "resnet18", "--arch", "infer")[0] == 0


@pytest.mark.usefixtures("six_rule_sets")
def test_where_nothing_fits_the_error_offers_both_ways():
    with pytest.raises(CoverageError) as caught:
        assign_layers(timm_model("resnet18"))
    *_, last = str(caught.value).splitlines()
    assert last == (
        'Have one drafted, and read it: lrd_registry.draft(model).save("my.yaml"), or '
        'lrd init timm:resnet18 -o my.yaml; then pass arch="my.yaml". '
        'arch="infer" takes such a draft as it is.'
    )


FAR = (
    "no rule set fits this model completely (tried: clip, clip_text, convnext, mae, swin, vit), "
    "and none comes near."
)


@pytest.mark.usefixtures("six_rule_sets")
@pytest.mark.parametrize(
    "name",
    [
        *("resnet50", "efficientnet_b0", "repvit_m0_9", "mambaout_base", "torchvision:vgg11"),
        *("hf:bert", "hf:resnet", "hf:llama"),
    ],
)
def test_where_nothing_is_near_two_lines_say_so(name):
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(build_model(name))
    first, second = str(caught.value).splitlines()
    assert first == FAR
    assert second.startswith('Have one drafted, and read it: lrd_registry.draft(model).save("my')
    assert caught.value.nearest == ()


@pytest.mark.usefixtures("six_rule_sets")
@pytest.mark.parametrize("name", ["hieradet_small", "cait_xxs24_224", "hf:yolos"])
def test_a_network_with_something_of_its_own_is_near(name):
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(build_model(name))
    assert caught.value.nearest == ("vit",)
    assert ", but for:\n  matched by no pattern:\n" in str(caught.value)


@pytest.mark.usefixtures("six_rule_sets")
def test_under_a_prefix_it_is_the_part_that_is_to_be_drafted():
    model = nn.ModuleDict({"net": timm_model("resnet18")})
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(model, prefix="net")
    assert str(caught.value).splitlines()[1] == (
        'Have one drafted, and read it: lrd_registry.draft(model.get_submodule("net"))'
        '.save("my.yaml"); then pass arch="my.yaml".'
    )


def test_a_draft_may_be_kept_by_its_rule_set(tmp_path):
    model = Saying()
    drafted = draft(model, "mine", trace(model))
    (tmp_path / "mine.yaml").write_text(str(drafted))
    kept = load_rule_set(tmp_path / "mine.yaml")
    assert layers_of(assign_layers(model, kept)) == layers_of(
        assign_layers(model, drafted.rule_set)
    )


def test_many_rule_sets_are_counted_and_not_listed():
    with pytest.raises(NoFittingArchitectureError) as caught:
        assign_layers(nn.Linear(2, 2))
    count = len(list_architectures())
    first, _ = str(caught.value).splitlines()
    assert first == (
        f"no rule set fits this model completely (tried: the {count} that lrd list shows), "
        "and none comes near."
    )
