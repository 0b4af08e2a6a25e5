"""torch.compile, data parallelism, checkpointing, averaging, DDP and FSDP: layers and names."""

import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import (
    checkpoint_wrapper,
    offload_wrapper,
)
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.fsdp.wrap import ModuleWrapPolicy
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from lrd_registry import CoverageError, ModelError, assign_layers, build_param_groups
from tests.support.building import layers_of
from tests.support.wrappers.checking import Before, check, decays
from tests.support.wrappers.tiny import NET, Net, timm_vit, transformers_vit

pytestmark = pytest.mark.engine

AROUND_ONE = {  # what wraps a module, and the component that it adds
    "compile": (torch.compile, "_orig_mod"),
    "checkpoint": (checkpoint_wrapper, "_checkpoint_wrapped_module"),
    "offload": (offload_wrapper, "_checkpoint_wrapped_module"),
}
WHOLE = {"DataParallel": (nn.DataParallel, "module"), "DDP": (DistributedDataParallel, "module")}
MODELS = [(Net, NET), (timm_vit, "vit"), (transformers_vit, "vit")]
models = pytest.mark.parametrize(("build", "arch"), MODELS, ids=lambda x: getattr(x, "arch", None))


def shard(model):
    """FSDP around the model, and around each of its linear modules."""
    return FullyShardedDataParallel(
        model,
        auto_wrap_policy=ModuleWrapPolicy({nn.Linear}),
        use_orig_params=True,
        device_id=torch.device("cpu"),
    )


@models
@pytest.mark.parametrize("kind", [*AROUND_ONE, *WHOLE])
@pytest.mark.usefixtures("one_process")
def test_around_the_whole_model(build, arch, kind):
    model = build()
    before = Before(model, arch)
    wrap, _ = (AROUND_ONE | WHOLE)[kind]
    check(wrap(model), before)


@pytest.mark.parametrize("kind", AROUND_ONE)
def test_around_single_blocks(kind):
    wrap, component = AROUND_ONE[kind]
    model = Net()
    before = Before(model, NET)
    model.blocks[1] = wrap(model.blocks[1])
    model.head = wrap(model.head)
    check(model, before)
    names = [name for name in assign_layers(model, NET) if component in name]
    assert names == [
        f"{start}.{component}.{own}" for start in ("blocks.1", "head") for own in ("weight", "bias")
    ]


@pytest.mark.parametrize("kind", [*AROUND_ONE, *WHOLE])
@pytest.mark.usefixtures("one_process")
def test_wrappers_in_wrappers(kind):
    wrap, _ = (AROUND_ONE | WHOLE)[kind]
    model = Net()
    before = Before(model, NET)
    model.blocks[0] = torch.compile(checkpoint_wrapper(model.blocks[0]))
    check(nn.DataParallel(wrap(model)), before)


def test_compiling_in_place_adds_nothing():
    model = Net()
    before = Before(model, NET)
    model.compile()
    check(model, before)


def test_an_averaged_copy_has_the_layers_of_the_model():
    model = Net()
    before = assign_layers(model, NET)
    for form in (AveragedModel(model), AveragedModel(model).named_parameters()):
        averaged = assign_layers(form, NET)
        assert layers_of(averaged) == {f"module.{n}": i for n, i in layers_of(before).items()}
        assert averaged.fingerprint() == before.fingerprint()


@models
@pytest.mark.usefixtures("one_process")
def test_fsdp_keeps_layers_and_weight_decay(build, arch):
    """Its shards are new tensors, by the same names."""
    model = build()
    before = assign_layers(model, arch)
    plain = decays(build_param_groups(model, arch))
    wrapped = shard(model)
    found = decays(build_param_groups(wrapped, arch))
    assert {bare(name): decay for name, decay in found.items()} == plain
    for form in (wrapped, list(wrapped.named_parameters())):
        layers = assign_layers(form, arch)
        assert {bare(name): layer for name, layer in layers_of(layers).items()} == layers_of(before)
        assert list(layers) == [name for name, _ in wrapped.named_parameters()]
        assert layers.fingerprint() == before.fingerprint()


@pytest.mark.usefixtures("one_process")
def test_flat_shards_have_their_layers_but_no_shape_without_the_model():
    wrapped = shard(Net())
    with pytest.raises(ModelError, match=r"^'\S+' \(and \d+ more\) is a flat shard of FSDP's"):
        build_param_groups(wrapped.named_parameters(), NET)


def bare(name):
    return name.replace("_fsdp_wrapped_module.", "")


@pytest.mark.usefixtures("one_process")
def test_flat_parameters_of_fsdp_are_refused():
    wrapped = FullyShardedDataParallel(Net(), device_id=torch.device("cpu"))
    with pytest.raises(ModelError, match=r"^'\S+_flat_param' is a FlatParameter"):
        build_param_groups(wrapped, NET)


@pytest.mark.usefixtures("one_process")
def test_fully_shard_adds_nothing_to_names():
    model = Net()
    before = assign_layers(model, NET)
    for part in (*model.blocks, model):
        fully_shard(part, mesh=torch.distributed.init_device_mesh("cpu", (1,)))
    assert assign_layers(model, NET) == before
    assert decays(build_param_groups(model, NET)) == decays(build_param_groups(Net(), NET))


@pytest.mark.parametrize("kind", [*AROUND_ONE, *WHOLE, "averaged"])
@pytest.mark.usefixtures("one_process")
def test_what_the_model_exempts_from_weight_decay_stays_exempt(kind):
    """Data parallelism and averaging pass on none of a model's methods."""
    wrap, component = (AROUND_ONE | WHOLE | {"averaged": (AveragedModel, "module")})[kind]
    wrapped = nn.DataParallel(wrap(Net()))
    found = decays(build_param_groups(wrapped, NET, weight_decay=0.1))
    start = f"module.{component}"
    assert found[f"{start}.table"] == found[f"{start}.head.bias"] == 0
    assert found[f"{start}.head.weight"] == 0.1


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("kind", [*AROUND_ONE, *WHOLE])
def test_tokens_and_position_embeddings_stay_exempt(kind):
    wrap, component = (AROUND_ONE | WHOLE)[kind]
    groups = build_param_groups(nn.DataParallel(wrap(timm_vit())), "vit")
    found = decays(groups)
    for name in ("cls_token", "pos_embed"):
        assert found[f"module.{component}.{name}"] == 0


def test_an_error_has_the_names_of_the_model_as_it_is():
    model = Net()
    model.extra = torch.compile(nn.Linear(4, 4))
    with pytest.raises(CoverageError) as caught:
        assign_layers(nn.DataParallel(model), NET)
    unknown = ("module.extra._orig_mod.weight", "module.extra._orig_mod.bias")
    assert caught.value.unmatched == unknown
    assert unknown[0] in str(caught.value)


@pytest.mark.parametrize("kind", AROUND_ONE)
def test_groups_have_the_models_own_names_and_tensors(kind):
    model = Net()
    model.blocks[0] = AROUND_ONE[kind][0](model.blocks[0])
    wrapped = nn.DataParallel(model)
    groups = build_param_groups(wrapped, NET)
    grouped = {
        name: p for g in groups for name, p in zip(g["param_names"], g["params"], strict=True)
    }
    named = dict(wrapped.named_parameters())
    assert grouped.keys() == named.keys()
    assert all(grouped[name] is parameter for name, parameter in named.items())
