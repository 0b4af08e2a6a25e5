"""Hypothesis strategies: random networks whose order is known by construction."""

from dataclasses import dataclass
from functools import reduce
from itertools import product

from hypothesis import strategies as st
from torch import nn

WIDTH = 3


@dataclass(frozen=True)
class Plan:
    """A network in words: a module by its name, or plans one after another, beside, around."""

    kind: str
    inner: "tuple[Plan, ...]" = ()
    name: str = ""

    def modules(self):
        """The names of the modules, one for each time that they are used."""
        return (
            [self.name] if self.kind == "module" else [n for p in self.inner for n in p.modules()]
        )

    def reaches(self):
        """Every (one, other) where the output of a use of one reaches a use of the other."""
        found = {pair for plan in self.inner for pair in plan.reaches()}
        if self.kind == "sequence":
            for number, plan in enumerate(self.inner):
                for later in self.inner[number + 1 :]:
                    found |= set(product(plan.modules(), later.modules()))
        return found

    def needs(self):
        """Every (one, other) where the output of a use of one reaches the first use of other."""
        uses = numbered(self)
        name_of = dict(zip(uses.modules(), self.modules(), strict=True))
        first = {name: use for use, name in reversed(name_of.items())}
        return {
            (name_of[one], name_of[other])
            for one, other in uses.reaches()
            if other == first[name_of[other]]
        }

    def order(self):
        """Every (one, other) where one comes strictly before the other."""
        reaches = self.reaches()
        return {(one, other) for one, other in self.needs() if (other, one) not in reaches}


def modules(names):
    return names.map(lambda name: Plan("module", name=name))


def larger(plans):
    several = st.lists(plans, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda inner: Plan("sequence", inner)),
        several.map(lambda inner: Plan("branches", inner)),
        plans.map(lambda inner: Plan("residual", (inner,))),
    )


def plans(*, shared, max_leaves=8):
    """Networks of modules `m0`, `m1`, …; where `shared`, some are used more than once."""
    names = st.sampled_from([f"m{n}" for n in range(5)]) if shared else st.just("")
    found = st.recursive(modules(names), larger, max_leaves=max_leaves)
    found = found.filter(lambda plan: len(plan.modules()) > 1)
    return found if shared else found.map(numbered)


def numbered(plan, start=0):
    """The same with a name of its own for each module."""
    if plan.kind == "module":
        return Plan("module", name=f"m{start}")
    inner = []
    for one in plan.inner:
        inner.append(numbered(one, start))
        start += len(one.modules())
    return Plan(plan.kind, tuple(inner))


class Network(nn.Module):
    """A plan as a module, its parts registered in some order."""

    def __init__(self, plan, order):
        super().__init__()
        self.plan = plan
        for name in order:
            self.add_module(name, nn.Linear(WIDTH, WIDTH))

    def forward(self, x):
        return self.run(self.plan, x)

    def run(self, plan, x):
        if plan.kind == "module":
            return self.get_submodule(plan.name)(x).relu_()
        if plan.kind == "sequence":
            return reduce(lambda value, inner: self.run(inner, value), plan.inner, x)
        outputs = [self.run(inner, x) for inner in plan.inner]
        return sum(outputs) if plan.kind == "branches" else x + outputs[0]


@st.composite
def networks(draw, *, shared):
    """A plan, and its network."""
    plan = draw(plans(shared=shared))
    return plan, Network(plan, draw(st.permutations(sorted(set(plan.modules())))))


def depths(plan):
    """A layer for each module that is in order: the length of the longest chain before it."""
    before = {}
    for one, other in plan.order():
        before.setdefault(other, []).append(one)
    found = {}

    def depth(name):
        if name not in found:
            found[name] = 1 + max(map(depth, before.get(name, [])), default=-1)
        return found[name]

    return {name: depth(name) for name in sorted(set(plan.modules()))}
