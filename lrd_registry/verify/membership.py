"""Which parameters are in which group, against those that an assignment has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lrd_registry.assignment import Assignment, Level
from lrd_registry.errors import LearningRateFault
from lrd_registry.verify.faults import in_lines, listed
from lrd_registry.verify.optimizer_groups import LiveGroup


def assigned(group: LiveGroup, assignment: Assignment) -> tuple[str, ...]:
    """The parameters of a group that are in the assignment."""
    known = assignment.placements
    return tuple(name for name in group.names if name is not None and name in known)


def membership_faults(
    groups: Sequence[LiveGroup],
    assignment: Assignment,
    scales: Mapping[Level, float],
    trains: Mapping[str, bool] | None,
) -> Iterator[LearningRateFault]:
    """What is not in exactly one group, of one scale, and what should not be in any.

    Args:
        groups: the optimizer's.
        assignment: the layers of the model that is trained.
        scales: the scale of each layer of each part.
        trains: parameter name -> whether it requires a gradient; None where no model was given,
            and every parameter of the assignment is expected.
    """
    fingerprint = assignment.fingerprint()
    if others := [g for g in groups if g.assignment not in (None, fingerprint)]:
        yield _other_assignment(others, len(groups), fingerprint)
    if mixed := [group for group in groups if len(_scales(group, assignment, scales)) > 1]:
        yield _layers_together(mixed, len(groups), assignment)
    if unnamed := [group for group in groups if None in group.names]:
        yield _without_names(unnamed, len(groups), trains is not None)
    places = _places(groups)
    if places:
        yield from _missing(places, assignment, trains)
    if several := {name: found for name, found in places.items() if len(found) > 1}:
        yield _in_several_groups(several)
    if strangers := {n: found[0] for n, found in places.items() if n not in assignment.placements}:
        yield _not_assigned(strangers, assignment.arch)


def _scales(group: LiveGroup, assignment: Assignment, scales: Mapping[Level, float]) -> set[float]:
    return {scales[assignment[name].level] for name in assigned(group, assignment)}


def _places(groups: Sequence[LiveGroup]) -> dict[str, list[LiveGroup]]:
    """Name -> the groups that have it; one of them twice where it has it twice."""
    places: dict[str, list[LiveGroup]] = {}
    for group in groups:
        for name in group.names:
            if name is not None:
                places.setdefault(name, []).append(group)
    return places


def _missing(
    places: Mapping[str, Sequence[LiveGroup]],
    assignment: Assignment,
    trains: Mapping[str, bool] | None,
) -> list[LearningRateFault]:
    expected = {
        name: placed.layer
        for name, placed in assignment.placements.items()
        if trains is None or trains.get(name, False)
    }
    missing = [name for name in expected if name not in places]
    return _parameters_missing(missing, expected, trains is not None)


def _layers_together(
    groups: Sequence[LiveGroup], total: int, assignment: Assignment
) -> LearningRateFault:
    """Groups whose parameters were asked to have different learning rates."""
    lines = []
    for group in groups:
        names = assigned(group, assignment)
        count = len({assignment[name].level for name in names})
        lines.append(f"{group} has {count} layers at {group.lr:.4g}: {listed(names)}")
    return LearningRateFault(
        "together",
        f"layers that were asked for different learning rates share one in {len(groups)} of "
        f"{total} groups{in_lines(lines)}\n  fix: these are not the groups of "
        "build_param_groups: give the optimizer those, and give the library the optimizer",
        groups=tuple(group.index for group in groups),
        names=tuple(name for group in groups for name in assigned(group, assignment)),
    )


def _without_names(groups: Sequence[LiveGroup], total: int, has_model: bool) -> LearningRateFault:
    """Groups with parameters that cannot be told."""
    lines = [f"{g}: {g.names.count(None)} of {len(g.names)} parameters" for g in groups]
    why = "the groups carry no param_names, as a wrapper made them anew: pass model="
    if has_model:
        why = (
            "these tensors are none of the model's: part of it was replaced after the optimizer "
            "was built, or a wrapper flattened them; build the groups from the model as it is"
        )
    return LearningRateFault(
        "unnamed",
        f"unknown parameters in {len(groups)} of {total} groups{in_lines(lines)}\n  fix: {why}",
        groups=tuple(group.index for group in groups),
    )


def _parameters_missing(
    missing: Sequence[str], expected: Mapping[str, int], has_model: bool
) -> list[LearningRateFault]:
    """Whole layers, then single parameters, that are in no group.

    Args:
        missing: the names that are in no group.
        expected: name -> layer, for all that should be in one.
        has_model: `expected` has those alone that require a gradient.
    """
    kept = {layer for name, layer in expected.items() if name not in set(missing)}
    whole = [name for name in missing if expected[name] not in kept]
    single = [name for name in missing if expected[name] in kept]
    why = "build the groups from the whole model, as it is"
    if not has_model:
        why = f"if they are frozen, pass model=; else {why}"
    faults = []
    if whole:
        count = len({expected[name] for name in whole})
        head = f"{count} of {len(set(expected.values()))} layers are missing from the optimizer"
        faults.append(_of_layers("layer missing", head, whole, expected, why))
    if single:
        head = f"{len(single)} of {len(expected)} parameters are missing from the optimizer"
        faults.append(_of_layers("missing", head, single, expected, why))
    return faults


def _in_several_groups(places: Mapping[str, Sequence[LiveGroup]]) -> LearningRateFault:
    """Parameters that are in two groups, or twice in one."""
    lines = [f"{name}: {', '.join(map(str, groups))}" for name, groups in places.items()]
    return LearningRateFault(
        "duplicate",
        f"{len(places)} parameters are in the optimizer more than once{in_lines(lines)}\n"
        "  fix: an optimizer steps them once for each time; keep one",
        groups=tuple(sorted({group.index for groups in places.values() for group in groups})),
        names=tuple(places),
    )


def _not_assigned(names: Mapping[str, LiveGroup], arch: str) -> LearningRateFault:
    """Parameters of the optimizer for which the assignment has no layer."""
    lines = [f"{name}: {group}" for name, group in names.items()]
    return LearningRateFault(
        "unassigned",
        f"{len(names)} parameters of the optimizer are not in the assignment ({arch!r}), so no "
        f"learning rate was asked for them{in_lines(lines)}\n  fix: assign the layers of the model "
        "that is trained; if a wrapper changed the names, pass the model inside as model=",
        groups=tuple(dict.fromkeys(group.index for group in names.values())),
        names=tuple(names),
    )


def _other_assignment(
    groups: Sequence[LiveGroup], total: int, fingerprint: str
) -> LearningRateFault:
    """Groups that were built from another assignment."""
    lines = [f"{group}: fingerprint {str(group.assignment)[:8]}…" for group in groups]
    return LearningRateFault(
        "assignment",
        f"{len(groups)} of {total} groups were built from another assignment than this one "
        f"(fingerprint {fingerprint[:8]}…){in_lines(lines)}\n  fix: pass the assignment of the "
        "model that the groups were built from, or build them anew",
        groups=tuple(group.index for group in groups),
    )


def _of_layers(
    kind: str, head: str, names: Sequence[str], layers: Mapping[str, int], why: str
) -> LearningRateFault:
    by_layer: dict[int, list[str]] = {}
    for name in names:
        by_layer.setdefault(layers[name], []).append(name)
    lines = [f"layer {layer}: {listed(by_layer[layer])}" for layer in sorted(by_layer)]
    return LearningRateFault(kind, f"{head}{in_lines(lines)}\n  fix: {why}", names=tuple(names))
