"""The classes that wrap a model or a module, and the children under which they hold it.

Told by the class's own name, or a base class's, so that none of the libraries has to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lrd_registry.model_names.flattened_lists import children_as_written

if TYPE_CHECKING:
    from torch import nn


class Wrapper(NamedTuple):
    """Where a wrapper holds what it wraps, and what it adds.

    Attributes:
        held: the children that are what it wraps; their names are taken off.
        copies: the children that hold copies of it, each under a name that is taken off too.
        adapts: whether everything else is an adapter of what it wraps.
        adapted: the attribute that tells which parameter is adapted, where it is not the first.
        inputs: the children whose parameters join the model's input.
        flattens: whether it holds the children of its model itself, those of a list `stages` as
            `stages_0`, `stages_1` …
        drops: whether it leaves out what none of the features that it gives needs.
    """

    held: tuple[str, ...]
    copies: tuple[str, ...] = ()
    adapts: bool = False
    adapted: str | None = None
    inputs: tuple[str, ...] = ()
    flattens: bool = False
    drops: bool = False


FSDP = "torch.distributed.fsdp.fully_sharded_data_parallel.FullyShardedDataParallel"
PARAMETRIZATION = "torch.nn.utils.parametrize.ParametrizationList"
"""It holds what made a tensor: `x.parametrizations.weight.original` in place of `x.weight`."""

TIMM_WRAPPER = "transformers.models.timm_wrapper.modeling_timm_wrapper"
_PEFT_MODEL = Wrapper(("base_model",), inputs=("prompt_encoder",))

WRAPPERS: Mapping[str, Wrapper] = {  # the nearest class in a module's own order of bases counts
    "torch.nn.parallel.data_parallel.DataParallel": Wrapper(("module",)),
    "torch.nn.parallel.distributed.DistributedDataParallel": Wrapper(("module",)),
    "torch._dynamo.eval_frame.OptimizedModule": Wrapper(("_orig_mod",)),
    FSDP: Wrapper(("_fsdp_wrapped_module",)),
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper.ActivationWrapper": Wrapper(
        ("_checkpoint_wrapped_module",)
    ),
    "torch.optim.swa_utils.AveragedModel": Wrapper(("module",)),
    "lightning.fabric.wrappers._FabricModule": Wrapper(("_forward_module",)),
    "peft.peft_model.PeftModel": _PEFT_MODEL,
    "peft.mixed_model.PeftMixedModel": _PEFT_MODEL,
    "peft.tuners.tuners_utils.BaseTuner": Wrapper(("model",)),
    "peft.tuners.tuners_utils.BaseTunerLayer": Wrapper(("base_layer",), adapts=True),
    "peft.tuners.lora.layer.ParamWrapper": Wrapper(
        ("base_layer",), adapts=True, adapted="parameter_name"
    ),
    "peft.tuners.adaption_prompt.model.AdaptionPromptModel": Wrapper(("model",)),
    "peft.tuners.adaption_prompt.layer._BaseAdaptedAttention": Wrapper(("model",), adapts=True),
    # timm's, with features_only=True (timm/models/_features.py).
    "timm.models._features.FeatureDictNet": Wrapper((), flattens=True, drops=True),
    "timm.models._features.FeatureHookNet": Wrapper(("body",), flattens=True, drops=True),
    "timm.models._features.FeatureGetterNet": Wrapper(("model",), drops=True),
    # transformers' around a model of timm's.
    f"{TIMM_WRAPPER}.TimmWrapperPreTrainedModel": Wrapper(("timm_model",)),
    "transformers.models.timm_backbone.modeling_timm_backbone.TimmBackbone": Wrapper(
        ("_backbone",)
    ),
    "peft.utils.other.AuxiliaryTrainingWrapper": Wrapper(
        ("original_module", "token_adapter"), copies=("modules_to_save",)
    ),
}


@lru_cache(maxsize=1024)
def class_names(kind: type) -> tuple[str, ...]:
    """The full names of a class and its bases, nearest first.

    >>> class_names(bool)
    ('builtins.bool', 'builtins.int', 'builtins.object')
    """
    return tuple(f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)


@lru_cache(maxsize=1024)
def wrapper_of(kind: type) -> Wrapper | None:
    """How a class of modules wraps another; None where it does not."""
    return next((WRAPPERS[name] for name in class_names(kind) if name in WRAPPERS), None)


@lru_cache(maxsize=1024)
def is_parametrization(kind: type) -> bool:
    """Whether modules of a class hold what made a tensor."""
    return PARAMETRIZATION in class_names(kind)


def changes_names(kind: type) -> bool:
    """Whether modules of a class stand in the names of what they hold."""
    return wrapper_of(kind) is not None or is_parametrization(kind)


@lru_cache(maxsize=1024)
def respells(kind: type) -> bool:
    """Whether modules of a class list their parameters by a method of their own."""
    base = next(base for base in kind.__mro__ if "named_parameters" in base.__dict__)
    return not is_bare(base)


def is_bare(kind: type) -> bool:
    """Whether modules of a class have no author: they only hold parameters under their names."""
    return class_names(kind)[0] == "torch.nn.modules.module.Module"


def unwrap(module: nn.Module) -> nn.Module:
    """The module inside all wrappers that are around it."""
    kind: type = type(module)
    if wrapper := wrapper_of(kind):
        for name in wrapper.held:
            if (inner := module._modules.get(name)) is not None:
                return unwrap(inner)
    return module


def wrapped_whole(module: nn.Module) -> tuple[str, nn.Module]:
    """The module inside wrappers that add nothing but its path, and that path, with a last dot.

    >>> from torch import nn
    >>> wrapped_whole(nn.DataParallel(nn.Linear(2, 3)))
    ('module.', Linear(in_features=2, out_features=3, bias=True))
    """
    kind: type = type(module)
    wrapper, held = wrapper_of(kind), list(module._modules.items())
    if not wrapper or module._parameters or respells(kind) or len(held) != 1:
        return "", module
    [(name, inner)] = held
    if name not in wrapper.held or inner is None:
        return "", module
    path, inmost = wrapped_whole(inner)
    return f"{name}.{path}", inmost


def find_module(model: nn.Module, path: str) -> nn.Module | None:
    """The module at a path as its author wrote it (`""`: the model), if there is one.

    >>> from torch import nn
    >>> model = nn.DataParallel(nn.ModuleDict({"backbone": nn.Linear(2, 3)}))
    >>> find_module(model, "backbone")
    Linear(in_features=2, out_features=3, bias=True)
    """
    found = _find_wrapped(model, path)
    return None if found is None else unwrap(found)


def drops_parts(model: nn.Module, path: str) -> bool:
    """Whether a wrapper leaves out parts of the module at a path."""
    module = _find_wrapped(model, path)
    while module is not None:
        kind: type = type(module)
        wrapper = wrapper_of(kind)
        if wrapper is None or wrapper.drops:
            return wrapper is not None
        held = (module._modules.get(name) for name in wrapper.held)
        module = next((inner for inner in held if inner is not None), None)
    return False


def _find_wrapped(model: nn.Module, path: str) -> nn.Module | None:
    """The module at a path, in its wrappers."""
    module: nn.Module | None = model
    names = path.split(".") if path else []
    while names and module is not None:
        module, names = _step(unwrap(module), names)
    return module


def _step(module: nn.Module, names: list[str]) -> tuple[nn.Module | None, list[str]]:
    """The child to which a path leads, and the rest of the path."""
    name, *rest = names
    kind: type = type(module)
    child = module._modules.get(name)
    wrapper = wrapper_of(kind)
    if child is None and rest and wrapper and wrapper.flattens:
        spelled = {written: own for own, written in children_as_written(module).items()}
        return module._modules.get(spelled.get(f"{name}.{rest[0]}", "")), rest[1:]
    return child, rest
