"""ZeroRedundancyOptimizer: each rank steps for some of the parameters, and all of it is right."""

import pytest
import torch
from torch import distributed
from torch.distributed.optim import ZeroRedundancyOptimizer

from lrd_registry import check_resume
from tests.support.distributed.engines import in_ddp
from tests.support.distributed.processes import on_ranks
from tests.support.distributed.rows import rows_meant, rows_of
from tests.support.distributed.training import (
    FACTOR,
    LR,
    groups_of,
    scheduled,
    sgd,
    train,
    trained_otherwise,
    verify,
    vit,
)

pytestmark = pytest.mark.slow

LATER = rows_meant(FACTOR)


def train_with_zero():
    inner = vit()
    model = in_ddp(inner)
    optimizer = ZeroRedundancyOptimizer(groups_of(inner), torch.optim.SGD, lr=LR, momentum=0.9)
    train(model, optimizer, scheduled(optimizer))
    optimizer.consolidate_state_dict(0)
    own = {id(p) for group in optimizer.optim.param_groups for p in group["params"]}
    return {
        "rows": rows_of(optimizer.param_groups),
        "own": {name for name, parameter in inner.named_parameters() if id(parameter) in own},
        "trained otherwise": trained_otherwise(model),
        "resumed": resumed(optimizer.state_dict()) if distributed.get_rank() == 0 else LATER,
    }


def resumed(state):
    """The rows of an optimizer on one process that goes on with this state."""
    optimizer = sgd(groups_of(vit(), lr=1.0))
    check_resume(state, optimizer)
    optimizer.load_state_dict(state)
    verify(optimizer, lr=LR * FACTOR)
    return rows_of(optimizer.param_groups)


def test_each_rank_steps_for_some_parameters_and_knows_the_rates_of_all():
    ranks = on_ranks(train_with_zero)
    first, second = (rank["own"] for rank in ranks)
    assert first | second == set(LATER)
    assert not first & second
    for rank in ranks:
        assert rank["rows"] == LATER
        assert rank["trained otherwise"] == []
        assert rank["resumed"] == LATER
