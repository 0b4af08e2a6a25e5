"""`verify_ranks`: groups that are the same on every rank pass; else each rank names the odd one."""

import pytest
import torch
from torch import distributed
from torch.distributed.optim import ZeroRedundancyOptimizer

from lrd_registry import RankMismatchError, assign_layers, verify_ranks
from lrd_registry.rule_files.load import rule_set_from_mapping
from tests.support.distributed.engines import in_ddp, in_fsdp1, in_fsdp2
from tests.support.distributed.processes import on_ranks
from tests.support.distributed.training import LR, groups_of, sgd, vit, whole

pytestmark = pytest.mark.slow

ODD, RANKS = 1, 3
TWO_LAYERS = rule_set_from_mapping(
    {"arch": "two", "layers": [{"body": ["*", "patch_embed.**", "blocks.**"]}, {"head": "*.*"}]}
)


def naming(rank, usual, what):
    """What is said on every rank, and the ranks that are named."""
    message = (
        f"rank {rank}, of 3 compared, differs from rank {usual}, first in {what}. Build the groups "
        "on every rank from the same model, frozen alike, with the same rule set and arguments"
    )
    return message, (rank,)


def is_odd():
    return distributed.get_rank() == ODD


def said(*checked):
    """What `verify_ranks` says on this rank, and which ranks it names."""
    try:
        verify_ranks(*checked)
    except RankMismatchError as error:
        return str(error), error.ranks
    return None


def equal():
    model = vit()
    zero = ZeroRedundancyOptimizer(groups_of(model), torch.optim.SGD, lr=LR)
    sharded = [groups_of(wrap(vit())) for wrap in (in_ddp, in_fsdp1, in_fsdp2)]
    return [said(of) for of in (groups_of(model), sgd(groups_of(model)), zero, whole(), *sharded)]


def test_equal_groups_pass_whether_sharded_or_not():
    assert on_ranks(equal, ranks=RANKS) == [[None] * 7] * RANKS


def other_decay():
    return said(groups_of(vit(), layer_decay=0.75 if is_odd() else 0.5))


def test_another_layer_decay_on_one_rank_is_named():
    found = naming(
        1, 0, "lr of group 0 (layer_00_decay): 0.0013348388671875 on rank 1, 7.8125e-05 on rank 0"
    )
    assert on_ranks(other_decay, ranks=RANKS) == [found] * RANKS


def other_decay_in_an_optimizer():
    optimizer = sgd(groups_of(vit()))
    if is_odd():
        optimizer.param_groups[-1]["lr"] = 0.5
    return said(optimizer)


def test_a_rate_that_changed_in_one_ranks_optimizer_is_named():
    found = naming(1, 0, "lr of group 15 (layer_07_no_decay): 0.5 on rank 1, 0.01 on rank 0")
    assert on_ranks(other_decay_in_an_optimizer, ranks=RANKS) == [found] * RANKS


def other_rule():
    return said(groups_of(vit(), TWO_LAYERS if is_odd() else "vit"))


def test_another_rule_on_one_rank_is_named():
    found = naming(1, 0, "the number of groups: 4 on rank 1, 16 on rank 0")
    assert on_ranks(other_rule, ranks=RANKS) == [found] * RANKS


def other_assignment():
    return said(assign_layers(vit(), TWO_LAYERS if is_odd() else "vit"))


def test_another_assignment_on_one_rank_is_named():
    ours, theirs = (assign_layers(vit(), arch).fingerprint() for arch in ("vit", TWO_LAYERS))
    for message, ranks in on_ranks(other_assignment, ranks=RANKS):
        assert ranks == (1,)
        assert "differs from rank 0, first in the assignment's fingerprint: " in message
        assert f"'{theirs[:50]}" in message.partition(" on rank 1")[0]
        assert f"'{ours[:50]}" in message.partition(" on rank 1")[2]


def other_frozen():
    model = vit()
    model.cls_token.requires_grad_(not is_odd())
    return said(groups_of(model))


def test_a_parameter_that_one_rank_froze_is_named():
    found = naming(
        1, 0, "param_names of group 1 (layer_00_no_decay): [] on rank 1, ['cls_token'] on rank 0"
    )
    assert on_ranks(other_frozen, ranks=RANKS) == [found] * RANKS


def within_and_across():
    """Rank 0 differs from 1 and 2, which are a group of their own."""
    rank = distributed.get_rank()
    groups = groups_of(vit(), lr=LR if rank else 1.0)
    some = distributed.new_group([1, 2])
    return said(groups, some) if rank else None, said(groups)


def test_only_the_ranks_of_the_process_group_are_compared():
    found = naming(
        0, 1, "lr of group 0 (layer_00_decay): 0.0078125 on rank 0, 7.8125e-05 on rank 1"
    )
    assert on_ranks(within_and_across, ranks=RANKS) == [(None, found)] * RANKS


def without_the_first_rank():
    """Ranks 1 and 2 differ, in a group of their own."""
    rank = distributed.get_rank()
    some = distributed.new_group([1, 2])
    return said(groups_of(vit(), lr=float(rank)), some) if rank else None


def test_ranks_are_named_by_their_number_among_all():
    first, *others = on_ranks(without_the_first_rank, ranks=RANKS)
    assert first is None
    assert [ranks for _, ranks in others] == [(2,), (2,)]
    assert others[0][0].startswith("rank 2, of 2 compared, differs from rank 1, ")


def test_one_process_without_a_process_group_has_nothing_to_compare():
    assert not distributed.is_initialized()
    assert said(groups_of(vit())) is None
