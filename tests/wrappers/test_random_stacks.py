"""Whatever wraps a random model, and modules in it, every layer is the one before."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributed.fsdp import FullyShardedDataParallel

from lrd_registry import assign_layers
from tests.support.building import layers_of
from tests.support.model_strategies import cases
from tests.support.wrappers.stacks import STEPS, Stack

FSDP = "_fsdp_wrapped_module"

pytestmark = [
    pytest.mark.engine,
    pytest.mark.library,
    pytest.mark.slow,
    pytest.mark.usefixtures("one_process"),
]


@given(cases(), st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.data())
def test_a_random_stack_changes_no_layer(case, steps, data):
    stack = Stack(case)
    for step in steps:
        STEPS[step](stack, data.draw)
    forms = [stack.model]
    if stack.told_by_names:
        forms.append(list(stack.model.named_parameters()))
    for form in forms:
        assignment = assign_layers(form, case.rules)
        assert layers_of(assignment) == stack.expected()
        assert assignment.num_layers == case.num_layers
        assert assignment.fingerprint() == assign_layers(case.model, case.rules).fingerprint()


@given(cases(), st.data())
def test_fsdp_around_random_modules_changes_no_layer(case, data):
    """FSDP takes no scalars, and makes a tensor of its own of each parameter."""
    stack = Stack(case, scalars=False)
    paths = data.draw(st.sets(st.sampled_from(sorted(stack.places())), max_size=3))
    for path in sorted(paths, key=len, reverse=True):
        stack.put(path, shard(stack.places()[path]))
    model = shard(stack.model)
    expected = {n: case.layers[n.replace(f"{FSDP}.", "")] for n, _ in model.named_parameters()}
    for form in (model, list(model.named_parameters())):
        assert layers_of(assign_layers(form, case.rules)) == expected


def shard(module):
    if isinstance(module, FullyShardedDataParallel):
        return module
    return FullyShardedDataParallel(module, use_orig_params=True, device_id=torch.device("cpu"))
