"""`verify_ranks` among ranks that are played within one process."""

import pytest
import torch
from torch import distributed, nn
from torch.optim import SGD

from lrd_registry import RankMismatchError, assign_layers, build_param_groups, verify_ranks
from lrd_registry.verify.ranks import _facts

pytestmark = pytest.mark.engine

RULES = {"arch": "one", "layers": [{"all": "**"}]}


def groups(rate=1e-3, width=2):
    return build_param_groups(nn.Linear(width, width), RULES, lr=rate)


@pytest.fixture
def play(monkeypatch):
    """Gives what each rank has, or None of one that is not in the process group."""

    def play(*others, ranks=None):
        def gather(found, own, **_):
            found[:] = [own, *(None if other is None else _facts(other) for other in others)]

        numbers = ranks or list(range(1 + len(others)))
        monkeypatch.setattr(distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(distributed, "get_world_size", lambda *_: len(numbers))
        monkeypatch.setattr(distributed, "get_process_group_ranks", lambda *_: numbers)
        monkeypatch.setattr(distributed, "all_gather_object", gather)

    return play


def test_equal_ranks_pass(play):
    play(groups(), groups())
    verify_ranks(groups())


def test_the_odd_one_is_named_with_what_most_have(play):
    play(groups(), groups(2e-3), ranks=[4, 5, 6])
    with pytest.raises(RankMismatchError) as caught:
        verify_ranks(groups())
    assert caught.value.ranks == (6,)
    assert str(caught.value) == (
        "rank 6, of 3 compared, differs from rank 4, first in lr of group 0 (layer_00_decay): "
        "0.002 on rank 6, 0.001 on rank 4. Build the groups on every rank from the same model, "
        "frozen alike, with the same rule set and arguments"
    )


def test_tensors_are_compared_by_their_numbers(play):
    ours, theirs = groups(), groups()
    ours[0]["betas"], theirs[0]["betas"] = torch.tensor([0.9, 0.5]), torch.tensor([0.9, 0.25])
    play(theirs)
    with pytest.raises(RankMismatchError, match=r"\[0.25\] on rank 1, \[0.5\] on rank 0"):
        verify_ranks(ours)


def test_most_decide_also_against_the_first(play):
    play(groups(2e-3), groups(2e-3))
    with pytest.raises(RankMismatchError, match="rank 0, of 3 compared, differs from rank 1"):
        verify_ranks(groups())


def test_of_several_odd_ranks_the_first_is_told(play):
    last = groups()
    last[0]["weight_decay"] = 0.5  # which stands before the learning rate
    play(groups(), groups(), groups(2e-3), last)
    said = r"ranks 3, 4, of 5 compared, differ from rank 0, .*: 0.002 on rank 3, 0.001 on rank 0"
    with pytest.raises(RankMismatchError, match=said):
        verify_ranks(groups())


def test_a_rank_that_is_not_in_the_group_is_passed_over(play):
    play(None, groups())
    verify_ranks(groups())


def test_assignments_are_compared_by_their_fingerprints(play):
    deeper = {"arch": "two", "layers": [{"first": "weight"}, {"second": "bias"}]}
    play(assign_layers(nn.Linear(2, 2), deeper))
    said = "rank 1, of 2 compared, differs from rank 0, first in the assignment's fingerprint: "
    with pytest.raises(RankMismatchError, match=said):
        verify_ranks(assign_layers(nn.Linear(2, 2), RULES))


def test_the_ranks_of_a_process_group_are_asked(play, monkeypatch):
    play(groups())
    asked = []
    for name in ("get_world_size", "all_gather_object", "get_process_group_ranks"):
        monkeypatch.setattr(distributed, name, noting(getattr(distributed, name), asked))
    verify_ranks(groups(), process_group="the first stage")
    assert asked == ["the first stage"] * 3


def noting(function, asked):
    def call(*given, **named):
        asked.append(named.get("group", given[-1]))
        return function(*given, **named)

    return call


def test_optimizers_are_compared_by_their_groups(play):
    play(SGD(groups(2e-3)))
    with pytest.raises(RankMismatchError, match=r"lr of group 0 \(layer_00_decay\)"):
        verify_ranks(SGD(groups()))
