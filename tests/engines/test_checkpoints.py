"""torch.distributed.checkpoint: saved by some processes, resumed by others, at the same rates."""

from functools import cache

import pytest
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from lrd_registry import InvalidArgumentError, LearningRateError
from tests.support.distributed.engines import bare, in_ddp, in_fsdp1, in_fsdp2
from tests.support.distributed.processes import on_ranks
from tests.support.distributed.rows import rows_meant, rows_of, without_wrappers
from tests.support.distributed.training import (
    FACTOR,
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
FORMS = {
    "nested": StateDictOptions(),
    "flattened": StateDictOptions(flatten_optimizer_state_dict=True),
}
RANKS = {bare: 1, in_ddp: 2, in_fsdp1: 2, in_fsdp2: 2}


def state_of(model, optimizer, options):
    parameters, momenta = get_state_dict(model, optimizer, options=options)
    return {"model": parameters, "optimizer": momenta}


def save(folder, wrap):
    """Train, and save what there is then, in both forms."""
    model = wrap(vit())
    optimizer = sgd(groups_of(model))
    scheduler = scheduled(optimizer)
    train(model, optimizer, scheduler)
    for form, options in FORMS.items():
        state = state_of(model, optimizer, options) | {"scheduler": scheduler.state_dict()}
        checkpoint.save(state, checkpoint_id=folder / form)


def load(folder, model, optimizer, options, scheduler=None):
    state = state_of(model, optimizer, options)
    state |= {"scheduler": scheduler.state_dict()} if scheduler else {}
    checkpoint.load(state, checkpoint_id=folder)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=state["model"],
        optim_state_dict=state["optimizer"],
        options=options,
    )
    if scheduler:
        scheduler.load_state_dict(state["scheduler"])


def resume(folder, wrap):
    """Load each form, and train on; the rows in between, and what the training gives."""
    found = {}
    for form, options in FORMS.items():
        model = wrap(vit())
        optimizer = sgd(groups_of(model, lr=1.0))
        scheduler = scheduled(optimizer)
        load(folder / form, model, optimizer, options, scheduler)
        verify(optimizer, scheduler)
        verify(optimizer, scheduler, model=model)
        rows = rows_of(optimizer.param_groups)
        train(model, optimizer, scheduler)
        found[form] = rows, trained_otherwise(model, times=2)
    return found


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a checkpoint of each engine, made when first asked for."""

    @cache
    def folder_of(wrap):
        folder = tmp_path_factory.mktemp(wrap.__name__)
        on_ranks(save, folder, wrap, ranks=RANKS[wrap])
        return folder

    return folder_of


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *((wrap, bare) for wrap in (in_ddp, in_fsdp1, in_fsdp2)),
        *((bare, wrap) for wrap in (in_ddp, in_fsdp1, in_fsdp2)),
        (in_ddp, in_fsdp2),
    ],
    ids=lambda wrap: wrap.__name__,
)
def test_training_goes_on_as_if_it_had_not_stopped(saved, before, after):
    for rank in on_ranks(resume, saved(before), after, ranks=RANKS[after]):
        for form in FORMS:
            rows, otherwise = rank[form]
            assert without_wrappers(rows) == LATER, form
            assert otherwise == [], form


def refusal(optimizer, scheduler, **options):
    """The faults that `verify_learning_rates` finds, with what it says of the first group."""
    with pytest.raises(LearningRateError) as caught:
        verify(optimizer, scheduler, **options)
    return [(f.kind, len(f.groups), f.message.splitlines()[1].strip()) for f in caught.value.faults]


def resume_with_a_late_scheduler(folder):
    model = vit()
    optimizer = sgd(groups_of(model))
    load(folder / "flattened", model, optimizer, FORMS["flattened"])
    return refusal(optimizer, scheduled(optimizer))


def test_a_scheduler_made_after_loading_starts_from_the_rates_of_then(saved):
    """Why the scheduler comes first: only keys that are there are loaded, `initial_lr` too."""
    (faults,) = on_ranks(resume_with_a_late_scheduler, saved(bare), ranks=1)
    said = (
        "group 0 'layer_00_decay' starts from 2.604e-05 instead of 7.813e-05 (scale 0.007812): "
        "patch_embed.proj.weight"
    )
    assert faults == [("other", 16, said)]


def load_with_a_frozen_stem(folder, form):
    model = vit()
    for name, row in LATER.items():
        model.get_parameter(name).requires_grad_(row.layer > 0)
    optimizer = sgd(groups_of(model))
    scheduler = scheduled(optimizer)
    load(folder / form, model, optimizer, FORMS[form], scheduler)
    return model, optimizer, scheduler


def resume_with_a_frozen_stem(folder):
    model, optimizer, scheduler = load_with_a_frozen_stem(folder, "flattened")
    faults = refusal(optimizer, scheduler, model=model)
    scheduler.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
    verify(optimizer, scheduler, model=model)
    return rows_of(optimizer.param_groups), faults


def test_a_stem_may_be_frozen_since(saved):
    """Flattened state goes by name; a scheduler's goes by position, and has to be put right."""
    ((rows, faults),) = on_ranks(resume_with_a_frozen_stem, saved(bare), ranks=1)
    assert rows == {name: row for name, row in LATER.items() if row.layer > 0}
    said = (
        "group 0 'layer_01_decay' starts from 7.813e-05 instead of 0.0001563 (scale 0.01562): "
        "blocks.0.attn.qkv.weight, blocks.0.attn.proj.weight, blocks.0.mlp.fc1.weight and 1 more"
    )
    assert faults == [("other", 14, said)]


def resume_nested_with_a_frozen_stem(folder):
    model, optimizer, scheduler = load_with_a_frozen_stem(folder, "nested")
    with pytest.raises(InvalidArgumentError) as caught:
        verify(optimizer, scheduler, model=model)
    return str(caught.value)


def test_nested_state_goes_by_position_so_the_last_groups_get_none(saved):
    """Why it is flattened where other parameters are frozen since."""
    (said,) = on_ranks(resume_nested_with_a_frozen_stem, saved(bare), ranks=1)
    assert said.startswith("group 12 of the optimizer has no lr, as after loading a state that ")
