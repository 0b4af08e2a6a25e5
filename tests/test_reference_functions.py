"""The published numbering, restated from the papers' repositories, on sizes that the data lack."""

import pytest

from lrd_registry import assign_layers
from tests.building import layers_of, model_with, timm_model


def vit_layer(name, depth):
    """BEiT and MAE: embeddings 0, block i at i + 1, norm, head and shared bias last."""
    if name.startswith("blocks."):
        return int(name.split(".")[1]) + 1
    return 0 if name.startswith(("cls_token", "pos_embed", "patch_embed")) else depth + 1


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "vit_large_patch16_224",
        "vit_huge_patch14_224",
        "vit_giant_patch14_224",
        "beit_large_patch16_512",
        "beitv2_large_patch16_224",
        "deit3_small_patch16_224",
    ],
)
def test_vit_of_every_depth(name):
    model = timm_model(name)
    assignment = assign_layers(model, "vit")
    depth = len(model.blocks)
    assert assignment.num_layers == depth + 2
    assert layers_of(assignment) == {n: vit_layer(n, depth) for n, _ in model.named_parameters()}


def convnext_names(depths):
    for stage, depth in enumerate(depths):
        yield from (f"downsample_layers.{stage}.{i}.weight" for i in (0, 1))
        yield from (f"stages.{stage}.{block}.dwconv.weight" for block in range(depth))
    yield from ("norm.weight", "head.weight")


def convnext_layer(name, last):
    """ConvNeXt: three blocks of the third stage to a layer, every other stage in one."""
    kind, stage, block, *_ = [*name.split("."), "", ""]
    if kind not in {"downsample_layers", "stages"}:
        return last
    if kind == "stages" and stage == "2":
        return 3 + int(block) // 3
    first = {"0": 0, "1": 2, "2": 3, "3": last - 1}
    return 1 if (kind, stage) == ("stages", "0") else first[stage]


@pytest.mark.parametrize(("depths", "last"), [((3, 3, 9, 3), 7), ((3, 3, 27, 3), 13)])
def test_convnext_of_every_published_numbering(depths, last):
    assignment = assign_layers(model_with(convnext_names(depths)), "convnext")
    assert assignment.num_layers == last + 1
    assert layers_of(assignment) == {n: convnext_layer(n, last) for n in convnext_names(depths)}


def test_a_convnext_smaller_than_the_published_numbering_has_no_empty_layers():
    """mmpretrain numbers atto's layers 0 to 4, 6 and 7; a layer here is a rank, without holes."""
    assignment = assign_layers(model_with(convnext_names((2, 2, 6, 2))), "convnext")
    assert set(layers_of(assignment).values()) == set(range(7))


def swin_names(depths):
    yield from ("patch_embed.proj.weight", "absolute_pos_embed", "mask_token")
    for stage, depth in enumerate(depths):
        yield from (f"layers.{stage}.blocks.{block}.norm1.weight" for block in range(depth))
        if stage < len(depths) - 1:
            yield f"layers.{stage}.downsample.reduction.weight"
    yield from ("norm.weight", "head.weight")


def swin_layer(name, depths):
    """SimMIM, and the absolute embedding, unknown to it, in the stem that uses it."""
    if not name.startswith("layers."):
        return sum(depths) + 1 if name.startswith(("norm", "head")) else 0
    _, stage, kind, block, *_ = name.split(".")
    if kind == "downsample":
        return sum(depths[: int(stage) + 1])
    return sum(depths[: int(stage)]) + int(block) + 1


@pytest.mark.parametrize("depths", [(2, 2, 6, 2), (2, 2, 18, 2), (2, 2, 42, 4), (1, 1)])
def test_swin_of_every_depth(depths):
    assignment = assign_layers(model_with(swin_names(depths)), "swin")
    assert layers_of(assignment) == {name: swin_layer(name, depths) for name in swin_names(depths)}
