"""Helpers: a network's draft, and tokens to call it with."""

import torch
from torch import Tensor, nn

from lrd_registry.drafting import draft
from lrd_registry.drafting.draft_rules import Draft
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import contradictions
from lrd_registry.tracing.result import Trace
from tests.support.building import on_meta

VIDEO = [(1, 3, 4, 8, 8), (1, 2, 4, 8, 8)]
IMAGE = (1, 3, 32, 32)


def tokens() -> Tensor:
    return torch.zeros(1, 6, dtype=torch.long, device="meta")


def drafted(model: nn.Module, inputs=None) -> Draft:
    return draft(model, "mine", trace(model, inputs))


def built(make, *arguments) -> nn.Module:
    return on_meta(make, *arguments)


def out_of_order(model: nn.Module, assignment, inputs=None) -> int:
    found: Trace = trace(model, inputs)
    return len(contradictions(assignment, found))
