"""Each engine, for real: every rank trains every parameter as one process trains the bare model."""

import re

import pytest

from lrd_registry import audit_learning_rates
from tests.support.distributed.engines import in_checkpointed_fsdp1, in_ddp, in_fsdp1, in_fsdp2
from tests.support.distributed.processes import on_ranks
from tests.support.distributed.rows import rows_meant, rows_of
from tests.support.distributed.training import (
    LAYER_DECAY,
    LR,
    groups_of,
    scheduled,
    sgd,
    train,
    trained_otherwise,
    vit,
    whole,
)

pytestmark = pytest.mark.slow

FSDP = "_fsdp_wrapped_module."
SPELLED = {  # what stands before every name, and after `blocks.N.`
    in_ddp: ("module.", ""),
    in_fsdp1: (FSDP, FSDP),
    in_checkpointed_fsdp1: (FSDP, f"_checkpoint_wrapped_module.{FSDP}"),
    in_fsdp2: ("", ""),
}


def spelled(rows, wrap):
    before, in_block = SPELLED[wrap]
    return {
        before + re.sub(r"(blocks\.\d+\.)", rf"\g<1>{in_block}", name): row
        for name, row in rows.items()
    }


def report(wrap):
    """On a rank: the rows before and after wrapping, and what training gives."""
    model = vit()
    before = rows_of(groups_of(model))
    wrapped = wrap(model)
    groups, by_assignment = groups_of(wrapped), groups_of(wrapped, whole())
    found = {
        "before": before,
        "after": rows_of(groups),
        "by assignment": rows_of(by_assignment),
        "fingerprints": {group["assignment"] for group in groups + by_assignment},
    }
    optimizer = sgd(groups)
    train(wrapped, optimizer, scheduled(optimizer))
    return found | {"trained otherwise": trained_otherwise(wrapped)}


@pytest.fixture(scope="module", params=SPELLED, ids=lambda wrap: wrap.__name__[3:])
def reports(request):
    return request.param, on_ranks(report, request.param)


def test_every_rank_has_the_rates_layers_and_weight_decay_of_the_bare_model(reports):
    wrap, ranks = reports
    for rank in ranks:
        assert rank["after"] == spelled(rows_meant(), wrap)


def test_groups_made_before_wrapping_say_the_same(reports):
    wrap, ranks = reports
    for rank in ranks:
        assert spelled(rank["before"], wrap) == rank["after"]


def test_the_assignment_of_the_bare_model_says_the_same(reports):
    _, ranks = reports
    for rank in ranks:
        assert rank["by assignment"] == rank["after"]
        assert rank["fingerprints"] == {whole().fingerprint()}


def test_training_gives_what_one_process_gives(reports):
    _, ranks = reports
    assert [rank["trained otherwise"] for rank in ranks] == [[], []]


def train_with_earlier_groups(wrap):
    """What training gives, and what is found wrong with the optimizer where the model is given."""
    model = vit()
    optimizer = sgd(groups_of(model))
    scheduler = scheduled(optimizer)
    wrapped = wrap(model)
    train(wrapped, optimizer, scheduler)
    audit = audit_learning_rates(
        optimizer,
        whole(),
        lr=LR,
        layer_decay=LAYER_DECAY,
        scheduler=scheduler,
        model=wrapped,
    )
    return trained_otherwise(wrapped), [fault.kind for fault in audit.faults]


@pytest.mark.parametrize("wrap", [in_ddp, in_fsdp1])
def test_groups_made_before_go_on_training_where_the_tensors_stay(wrap):
    assert on_ranks(train_with_earlier_groups, wrap) == [([], [])] * 2


def test_fully_shard_makes_new_tensors_so_earlier_groups_train_nothing():
    """Why `fully_shard` comes first: torch says nothing, the model tells."""
    found = sorted(rows_meant()), ["unnamed"]
    assert on_ranks(train_with_earlier_groups, in_fsdp2) == [found] * 2
