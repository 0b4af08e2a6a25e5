"""One plan on one model's names → every parameter's placement, or what keeps it from fitting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from lrd_registry.assignment import Assignment, KnownBy, Placement
from lrd_registry.decay import parts_from, steps_to_full_rate
from lrd_registry.engine.clauses import Clause
from lrd_registry.engine.compile_layout import Plan
from lrd_registry.engine.match import StateTable
from lrd_registry.engine.problems import Coverage, find_holes, unjoined
from lrd_registry.errors import Gap
from lrd_registry.model_names.compared import Names
from lrd_registry.rule_files.schema import Tied


def settle(
    placed: Mapping[str, Placement],
    names: Sequence[str],
    tied: Tied | None,
    depths: Mapping[str, int],
    before: Mapping[str, str],
) -> Placement | None:
    """Where a tensor is that goes by these names; None where they are torn between layers.

    What decides is how many layers there are up to the full rate. Parts of which none is before
    the other have no order, so names in them are torn whatever `tied` says; but one layer at the
    full rate is above all others.

    Args:
        placed: name -> its placement.
        names: those of the tensor.
        tied: which of its layers counts.
        depths: part -> how many layers it has.
        before: part -> the part that it goes on below.

    >>> placed = {"a": Placement(0, "stem", "a"), "b": Placement(3, "head", "b")}
    >>> settle(placed, ["a", "b"], "deepest", {"": 4}, {})
    Placement(layer=3, entry='head', pattern='b', part='')
    >>> settle(placed, ["a", "b"], None, {"": 4}, {})
    >>> placed = {"a": Placement(0, "stem", "a", "text"), "b": Placement(0, "head", "b", "head")}
    >>> settle(placed, ["a", "b"], "shallowest", {"text": 4, "head": 1}, {}).entry
    'stem'
    """
    found = [placed[name] for name in names]
    if len({place.level for place in found}) == 1:
        return found[0]
    parts = {place.part for place in found}
    decaying = {part for part in parts if depths[part] > 1 or part in before}
    if not decaying or tied is None:
        return None
    if not any(decaying <= {*parts_from(part, before)} for part in decaying):
        return None

    def steps(place: Placement) -> int:
        return sum(steps_to_full_rate(place.level, depths, before).values())

    return (max if tied == "shallowest" else min)(found, key=steps)


def place(plan: Plan, names: Names, known_by: KnownBy = "names") -> Assignment | Coverage:
    """Assign every parameter by one plan; where it does not fit, the faults.

    Args:
        plan: a layout as it stands on the model.
        names: the model's.
        known_by: whether the model's class told that this plan is to be tried, or its names.
    """
    if not plan.entries:
        unmatched = tuple(names.compared)
        where = (plan.arch, plan.layout, (), names)
        return Coverage(*where, unmatched=unmatched, missing=plan.missing)
    return _Placing(plan, names, known_by).result()


class _Placing:
    """The steps of one placing: match names, rank the claims, look for faults."""

    def __init__(self, plan: Plan, names: Names, known_by: KnownBy) -> None:
        self._plan = plan = replace(plan) if plan.matcher.is_full else plan
        self._known_by = known_by
        self._names = names
        self._states = plan.matcher.states(names.compared.values())
        self._table = _table(plan, frozenset(self._states))

    def result(self) -> Assignment | Coverage:
        names = self._names
        is_plain = not (names.aliases or names.adapters or names.outside)
        if is_plain and self._table.covers_all:
            return self._assignment()
        unmatched, overlapping = tuple(self._unmatched()), dict(self._overlaps())
        missing = () if names.drops_parts else self._table.missing
        gaps, cut = tuple(self._gaps()), tuple(self._cut())
        if not (unmatched or overlapping or missing or gaps or cut or names.outside):
            return self._assignment()
        return Coverage(
            self._plan.arch,
            self._plan.layout,
            tuple(clause.pattern for clause in self._plan.clauses),
            names,
            unmatched,
            overlapping,
            missing,
            gaps,
            cut,
        )

    def _assignment(self) -> Assignment:
        plan, names = self._plan, self._names
        return Assignment(
            plan.arch,
            plan.layout,
            entries=tuple(entry.name for entry in plan.entries),
            parts={part: tuple(layers) for part, layers in self._table.ranking.layers.items()},
            placements=self._placements(),
            written=names.written,
            before=plan.before,
            adapters=names.adapters,
            aliases=names.aliases,
            roots=tuple(map(names.full, plan.roots)),
            no_weight_decay=tuple(p.under(names.prefix) for p in plan.no_weight_decay),
            waivers=tuple(waiver.under(names.prefix) for waiver in plan.waivers),
            known_by=self._known_by,
        )

    def _placements(self) -> dict[str, Placement]:
        """The placement of each parameter, in the model's order."""
        names, placed = self._names, self._placed
        if not names.aliases and not names.ends:
            return placed
        for first, aliases in names.aliases.items():
            known = [name for name in (first, *aliases) if name in placed]
            settled = self._settle(placed, known)
            assert settled is not None, "names that are torn between layers overlap"
            placed[first] = settled
        return {name: placed[name] for name in names.order}

    def _settle(self, placed: Mapping[str, Placement], names: Sequence[str]) -> Placement | None:
        depths = {part: len(layers) for part, layers in self._table.ranking.layers.items()}
        return settle(placed, names, self._plan.tied, depths, self._plan.before)

    @cached_property
    def _placed(self) -> dict[str, Placement]:
        """The placement of each name that has one."""
        placements = self._table.placements
        if len(placements) == len(self._table.claims):
            found = map(placements.__getitem__, self._states)
            placed = dict(zip(self._names.compared, found, strict=True))
        else:
            placed = {name: placements[s] for name, s in self._named_states() if s in placements}
        placed.update(self._at_ends())
        return placed

    def _at_ends(self) -> Iterator[tuple[str, Placement]]:
        """The parameters of which no pattern speaks: they join the first or the last layer."""
        first, last = self._plan.entries[0].part, self._plan.entries[-1].part
        for name, end in self._names.ends.items():
            part = last if end.layer else first
            if layers := self._table.ranking.layers[part]:
                layer = range(len(layers))[end.layer]
                yield name, Placement(layer, layers[layer], end.what, part)

    def _unmatched(self) -> Iterator[str]:
        """Names without a claim, or whose claim is to a layer before the first."""
        empty = {
            s for s, claims in self._table.claims.items() if claims.keys() <= self._table.too_early
        }
        if empty:
            placed = {self._names.one_module.get(name) for name in self._placed} - {None}
            for name, state in self._named_states():
                if state in empty and self._names.one_module.get(name) not in placed:
                    yield name

    def _overlaps(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        many = {state for state, claims in self._table.claims.items() if len(claims) > 1}
        if many:
            for name, state in self._named_states():
                if state in many:
                    yield name, tuple(map(self._say, self._table.claims[state].values()))
        if self._names.aliases:
            yield from self._torn()
        if self._names.adapters:
            yield from self._undecided()

    def _torn(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The tied parameters whose names belong to different layers."""
        for first, aliases in self._names.aliases.items():
            found = {n: self._placed[n] for n in (first, *aliases) if n in self._placed}
            if found and self._settle(found, list(found)) is None:
                one = self._names.one_module
                is_one = len({one.get(name, name) for name in found}) == 1
                said = "one module, as" if is_one else "tied as"
                yield first, tuple(f"{said} {name}: {_say_place(p)}" for name, p in found.items())

    def _undecided(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The adapters that may adapt parameters of different layers."""
        compared = self._names.compared
        by_compared = {compared[n]: place for n, place in self._placed.items() if n in compared}
        for name, adapted in self._names.adapters.items():
            found = ((a, self._names.relative(a)) for a in adapted)
            placed = ((a, by_compared[below]) for a, below in found if below in by_compared)
            by_level = {place.level: (a, place) for a, place in placed}
            if len(by_level) > 1:
                yield name, tuple(f"adapts {a}: {_say_place(p)}" for a, p in by_level.values())

    def _named_states(self) -> Iterator[tuple[str, int]]:
        return zip(self._names.compared, self._states, strict=True)

    def _say(self, clause: Clause) -> str:
        role = "" if clause.role == "match" else f" ({clause.role})"
        return f"{self._plan.entries[clause.entry].name}{role}: {clause.pattern}"

    def _cut(self) -> Iterator[str]:
        """The modules of the last entry that were set to None, where nothing is left of it."""
        if not self._table.has_its_end and not self._names.drops_parts:
            patterns = self._plan.entries[-1].match
            for path in map(self._names.relative, self._names.removed):
                if path and any(p.match(f"{path}.weight") is not None for p in patterns):
                    yield path

    def _gaps(self) -> Iterator[Gap]:
        for entry, runs in zip(self._plan.entries, self._table.positions, strict=True):
            yield from find_holes(entry, runs, self._names.is_silent)
        for claim in self._table.unjoined:
            yield unjoined(self._plan.entries[claim.entry], claim)


@lru_cache(maxsize=64)
def _table(plan: Plan, states: frozenset[int]) -> StateTable:
    return StateTable(plan, states)


def _say_place(place: Placement) -> str:
    return f"layer {place.layer}{f' of {place.part}' if place.part else ''}"
