"""Lists with activations between: no holes for a draft, and a norm in them is no block."""

from torch import nn

from lrd_registry.assign.assign_layers import assign_layers
from lrd_registry.drafting.tree.block_stacks import families
from lrd_registry.drafting.tree.module_tree import tree_of
from tests.support.building import layers_of, on_meta
from tests.support.drafting.drafting import IMAGE, drafted


def conv(before, after, *more):
    return [nn.Conv2d(before, after, 3, padding=1), *more, nn.ReLU()]


def test_positions_without_parameters_are_known_up_to_one_where_nothing_is():
    names = ["f.0.w", "f.2.w", "f.6.w"]
    asked = []

    def is_silent(path):
        asked.append(path)
        return path in {"f.1", "f.3", "f.5"}

    (node,) = tree_of(names, is_silent).children.values()
    assert node.silent == {1, 3}
    assert asked == ["f.1", "f.3", "f.4"]


def test_a_list_is_contiguous_if_only_modules_without_parameters_are_missing():
    def is_contiguous(*silent):
        tree = tree_of(["f.1.w.w", "f.3.w.w"], lambda path: path in silent)
        (family,) = families(tree.children["f"])
        return family.is_contiguous

    assert is_contiguous("f.0", "f.2")
    assert not is_contiguous("f.0")
    assert not is_contiguous("f.2")


def test_where_norms_are_in_the_list_they_share_the_layer_of_what_they_follow():
    model = on_meta(
        nn.Sequential,
        *conv(3, 4, nn.BatchNorm2d(4)),
        *conv(4, 4, nn.BatchNorm2d(4)),
        *conv(4, 4, nn.BatchNorm2d(4)),
    )
    layers = layers_of(assign_layers(model, drafted(model, IMAGE).rule_set))
    assert [layers[f"{n}.weight"] for n in (0, 1, 3, 4, 6, 7)] == [0, 0, 1, 1, 2, 2]


def test_without_norms_one_line_is_enough_for_all():
    model = on_meta(nn.Sequential, *conv(3, 4), *conv(4, 4), *conv(4, 4))
    assert drafted(model, IMAGE).rules["layers"] == [{"block": "{block}.**"}]
