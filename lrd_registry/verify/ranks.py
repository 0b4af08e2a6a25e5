"""Groups over several processes: the same on every rank, or an error that names the rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from lrd_registry.assignment import Assignment
from lrd_registry.errors import RankMismatchError
from lrd_registry.wording import clip

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

Facts: TypeAlias = dict[str, Any]
"""What is compared: where it stands, in words, and what is there."""


def verify_ranks(
    of: Any | Iterable[Mapping[str, Any]] | Assignment, process_group: ProcessGroup | None = None
) -> None:
    """Compare what determines the learning rates over all ranks.

    To be called on each of them: a rank that does not come keeps the others waiting until the
    group's timeout. With NCCL, call `torch.cuda.set_device` first.

    Args:
        of: the groups, or the optimizer that has them: they are compared key by key, but for the
            tensors. Or an assignment: compared by its fingerprint, as where each rank holds a
            stage of its own.
        process_group: the ranks to compare; all, if left out. Without `torch.distributed` there is
            one rank, and nothing to compare.

    Raises:
        RankMismatchError: on every rank, if one has something else than most; it names the ranks
            that differ, and the first thing in which they do.

    >>> from lrd_registry import build_param_groups
    >>> from torch import nn
    >>> rules = {"arch": "one", "layers": [{"all": "**"}]}
    >>> verify_ranks(build_param_groups(nn.Linear(2, 2), rules))
    """
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return
    found: list[Facts | None] = [None] * distributed.get_world_size(process_group)
    distributed.all_gather_object(found, _facts(of), group=process_group)
    ranks = distributed.get_process_group_ranks(process_group or distributed.group.WORLD)
    _compare({rank: facts for rank, facts in zip(ranks, found, strict=True) if facts is not None})


def _facts(of: Any) -> Facts:
    if isinstance(of, Assignment):
        return {"the assignment's fingerprint": of.fingerprint()}
    groups = list(getattr(of, "param_groups", of))
    return {"the number of groups": len(groups), **dict(_group_facts(groups))}


def _group_facts(groups: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for number, group in enumerate(groups):
        for key, value in group.items():
            if key != "params":
                yield f"{key} of group {number} ({group.get('name', 'unnamed')})", _plain(value)


def _plain(value: Any) -> Any:
    """A value that pickles small and compares by `==`: a tensor by its numbers."""
    return value.tolist() if hasattr(value, "tolist") else value


def _compare(by_rank: Mapping[int, Facts]) -> None:
    counts = Counter(map(repr, by_rank.values()))
    usual = next(rank for rank, facts in by_rank.items() if repr(facts) == _most_common(counts))
    others = [rank for rank, facts in by_rank.items() if facts != by_rank[usual]]
    if others:
        what = _first_difference(by_rank[usual], by_rank[others[0]])
        raise RankMismatchError(_message(by_rank, usual, others, what), ranks=others)


def _most_common(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0]


def _first_difference(usual: Facts, other: Facts) -> str:
    return next(key for key in {**usual, **other} if usual.get(key) != other.get(key))


def _message(by_rank: Mapping[int, Facts], usual: int, others: list[int], what: str) -> str:
    other, several = others[0], len(others) > 1
    found, expected = by_rank[other].get(what), by_rank[usual].get(what)
    return (
        f"rank{'s' if several else ''} {', '.join(map(str, others))}, of {len(by_rank)} compared, "
        f"differ{'' if several else 's'} from rank {usual}, first in {what}: "
        f"{_say(found, expected)} on rank {other}, {_say(expected, found)} on rank {usual}. "
        "Build the groups on every rank from the same model, frozen alike, with the same rule set "
        "and arguments"
    )


def _say(value: Any, other: Any) -> str:
    """A value in short; of a list of names, those that the other does not have."""
    if isinstance(value, list) and isinstance(other, list):
        value = [name for name in value if name not in other]
    return clip(repr(value))
