"""FSDP1's flat tensors: one for many layers is refused, a shard of each keeps its weight decay."""

import pytest
from torch.distributed.fsdp import FullyShardedDataParallel, ShardingStrategy

from lrd_registry import ModelError, assign_layers
from tests.support.distributed.engines import in_fsdp1
from tests.support.distributed.processes import on_ranks
from tests.support.distributed.rows import rows_meant, rows_of, without_wrappers
from tests.support.distributed.training import groups_of, vit

pytestmark = pytest.mark.slow


def dimensions():
    return {parameter.ndim for parameter in in_fsdp1(vit()).parameters()}


def test_shards_have_one_dimension():
    """Else there would be nothing to test here."""
    assert on_ranks(dimensions) == [{1}, {1}]


def rows_of_strategies():
    strategies = ShardingStrategy.SHARD_GRAD_OP, ShardingStrategy.NO_SHARD
    models = [in_fsdp1(vit(), sharding_strategy=strategy) for strategy in strategies]
    ignoring = vit()
    models.append(in_fsdp1(ignoring, ignored_modules=[ignoring.head]))
    return [without_wrappers(rows_of(groups_of(model))) for model in models]


def test_every_strategy_keeps_rates_and_weight_decay():
    assert on_ranks(rows_of_strategies) == [[rows_meant()] * 3] * 2


def rows_in_summoned():
    model = in_fsdp1(vit())
    with FullyShardedDataParallel.summon_full_params(model):
        return rows_of(groups_of(model))


def test_full_parameters_have_the_same_rows():
    assert on_ranks(rows_in_summoned) == [rows_meant()] * 2


def refusal(act, model):
    with pytest.raises(ModelError) as caught:
        act(model)
    return str(caught.value)


def refusals():
    """What is said of one flat tensor for many parameters: to a module, pairs, and layers alone."""
    model = in_fsdp1(vit(), use_orig_params=False)
    return {
        refusal(groups_of, model),
        refusal(groups_of, model.named_parameters()),
        refusal(assign_layers, model),
    }


def test_a_flat_parameter_of_many_layers_is_refused():
    message = (
        "'_fsdp_wrapped_module._flat_param' is a FlatParameter: FSDP has put parameters of many "
        "layers into one tensor, and one tensor has one learning rate; wrap the model with "
        "FullyShardedDataParallel(…, use_orig_params=True), or use fully_shard"
    )
    assert on_ranks(refusals) == [{message}] * 2


def refusals_of_shards():
    """What is said of shards where the module that knows their shapes is not there."""
    model = in_fsdp1(vit())
    return [refusal(groups_of, model.named_parameters()), refusal(groups_of, model.module)]


def test_shards_whose_shape_nothing_tells_are_refused():
    message = (
        " is a flat shard of FSDP's, and weight decay depends on the shape that it had; pass the "
        "FullyShardedDataParallel module itself, not what is inside it nor its named_parameters()"
    )
    pairs = f"'_fsdp_wrapped_module.cls_token' (and 79 more){message}"
    inside = f"'cls_token' (and 7 more){message}"
    assert on_ranks(refusals_of_shards) == [[pairs, inside]] * 2
