"""Layer-wise learning-rate decay by declarative rules, for any architecture."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrd_registry.assign.assign_layers import assign_layers as assign_layers
    from lrd_registry.assignment import Assignment as Assignment
    from lrd_registry.assignment import Row as Row
    from lrd_registry.drafting.draft_rules import Draft as Draft
    from lrd_registry.drafting.draft_rules import draft as draft
    from lrd_registry.errors import AmbiguousArchitectureError as AmbiguousArchitectureError
    from lrd_registry.errors import CoverageError as CoverageError
    from lrd_registry.errors import Gap as Gap
    from lrd_registry.errors import InvalidArgumentError as InvalidArgumentError
    from lrd_registry.errors import LearningRateError as LearningRateError
    from lrd_registry.errors import LearningRateFault as LearningRateFault
    from lrd_registry.errors import LrdError as LrdError
    from lrd_registry.errors import ModelError as ModelError
    from lrd_registry.errors import NoFittingArchitectureError as NoFittingArchitectureError
    from lrd_registry.errors import RankMismatchError as RankMismatchError
    from lrd_registry.errors import RegistrationError as RegistrationError
    from lrd_registry.errors import ResumeError as ResumeError
    from lrd_registry.errors import RuleFileError as RuleFileError
    from lrd_registry.errors import UnknownArchitectureError as UnknownArchitectureError
    from lrd_registry.groups.build_param_groups import build_param_groups as build_param_groups
    from lrd_registry.groups.mae import param_groups_lrd as param_groups_lrd
    from lrd_registry.registry.default import get_rule_set as get_rule_set
    from lrd_registry.registry.default import list_architectures as list_architectures
    from lrd_registry.registry.default import register_rules as register_rules
    from lrd_registry.resume.check_resume import check_resume as check_resume
    from lrd_registry.resume.remap_state_dict import remap_state_dict as remap_state_dict
    from lrd_registry.rule_files.load import load_rule_set as load_rule_set
    from lrd_registry.rule_files.schema import RuleSet as RuleSet
    from lrd_registry.tracing.order_check import check_order as check_order
    from lrd_registry.tracing.result import Trace as Trace
    from lrd_registry.tracing.trace_model import trace as trace
    from lrd_registry.verify.ranks import verify_ranks as verify_ranks
    from lrd_registry.verify.result import LearningRates as LearningRates
    from lrd_registry.verify.verify_learning_rates import (
        audit_learning_rates as audit_learning_rates,
    )
    from lrd_registry.verify.verify_learning_rates import (
        verify_learning_rates as verify_learning_rates,
    )

_HOME = {
    "assignment": ("Assignment", "Row"),
    "drafting.draft_rules": ("Draft", "draft"),
    "errors": (
        "AmbiguousArchitectureError",
        "CoverageError",
        "Gap",
        "InvalidArgumentError",
        "LearningRateError",
        "LearningRateFault",
        "LrdError",
        "ModelError",
        "NoFittingArchitectureError",
        "RankMismatchError",
        "RegistrationError",
        "ResumeError",
        "RuleFileError",
        "UnknownArchitectureError",
    ),
    "groups.build_param_groups": ("build_param_groups",),
    "verify.result": ("LearningRates",),
    "verify.verify_learning_rates": ("audit_learning_rates", "verify_learning_rates"),
    "rule_files.load": ("load_rule_set",),
    "groups.mae": ("param_groups_lrd",),
    "tracing.order_check": ("check_order",),
    "tracing.result": ("Trace",),
    "tracing.trace_model": ("trace",),
    "verify.ranks": ("verify_ranks",),
    "registry.default": ("get_rule_set", "list_architectures", "register_rules"),
    "resume.remap_state_dict": ("remap_state_dict",),
    "resume.check_resume": ("check_resume",),
    "rule_files.schema": ("RuleSet",),
    "assign.assign_layers": ("assign_layers",),
}

__all__ = sorted(name for names in _HOME.values() for name in names)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that the command line starts without pydantic."""
    if name == "__version__":
        return import_module("importlib.metadata").version("lrd-registry")
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"lrd_registry.{module}"), name)
    raise AttributeError(f"module 'lrd_registry' has no attribute {name!r}")
