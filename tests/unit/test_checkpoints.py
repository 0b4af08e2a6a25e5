"""Models known from a file alone: a checkpoint's header, or a list of names."""

import json
import struct

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.parameter import UninitializedParameter

from lrd_registry import ModelError, assign_layers
from lrd_registry.models import build_model

pytestmark = pytest.mark.engine

TENSORS = {
    "stem.weight": torch.zeros(2, 3, dtype=torch.bfloat16),
    "blocks.0.fc.weight": torch.zeros(4, 2),
    "blocks.0.fc.bias": torch.zeros(4),
    "scale": torch.tensor(1.0, dtype=torch.float16),
    "position_ids": torch.arange(3),
    "blocks.0.mask": torch.ones(3, dtype=torch.bool),
}
PARAMETERS = {
    "stem.weight": ((2, 3), torch.bfloat16),
    "blocks.0.fc.weight": ((4, 2), torch.float32),
    "blocks.0.fc.bias": ((4,), torch.float32),
    "scale": ((), torch.float16),
}


@pytest.fixture
def whole(tmp_path):
    save_file(TENSORS, tmp_path / "whole.safetensors")
    return tmp_path / "whole.safetensors"


@pytest.fixture
def index(tmp_path):
    """An index of two shards, and a way to change it."""
    names = sorted(TENSORS)
    parts = {"a.safetensors": names[:3], "b.safetensors": names[3:]}
    for shard, held in parts.items():
        save_file({name: TENSORS[name] for name in held}, tmp_path / shard)
    path = tmp_path / "model.safetensors.index.json"
    shard_of = {name: shard for shard, held in parts.items() for name in held}
    path.write_text(json.dumps({"metadata": {}, "weight_map": shard_of}))
    return path


def parameters_of(model):
    return {name: (tuple(p.shape), p.dtype) for name, p in model.named_parameters()}


def refusal(path):
    with pytest.raises(ModelError) as caught:
        build_model(str(path))
    return str(caught.value)


def safetensors_bytes(header, values=b""):
    """A safetensors file, also one that the library would not write."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def one_tensor(name, dtype="F32", shape=(1,), size=4):
    entry = {"dtype": dtype, "shape": list(shape), "data_offsets": [0, size]}
    return safetensors_bytes({name: entry}, bytes(size))


def test_a_checkpoint_gives_names_shapes_and_dtypes_of_its_floating_tensors(whole):
    model = build_model(str(whole))
    assert parameters_of(model) == PARAMETERS
    assert {p.device.type for p in model.parameters()} == {"meta"}
    assert type(model.blocks) is torch.nn.Module


def test_a_sharded_checkpoint_is_the_same_model(index):
    assert parameters_of(build_model(str(index))) == PARAMETERS


def test_a_sharded_checkpoint_may_link_out_of_its_folder(index, tmp_path):
    (tmp_path / "blobs").mkdir()
    shard = index.parent / "a.safetensors"
    shard.rename(tmp_path / "blobs" / "1f")
    shard.symlink_to(tmp_path / "blobs" / "1f")
    assert parameters_of(build_model(str(index))) == PARAMETERS


@pytest.mark.parametrize("name", ["m.safetensors", "m.safetensors.index.json", "m.txt"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    path = tmp_path / name
    assert refusal(path) == f"{path}: cannot be read: No such file or directory"


@pytest.mark.parametrize("name", ["m.safetensors", "m.json", "m.txt"])
def test_a_folder_is_no_file(tmp_path, name):
    (tmp_path / name).mkdir()
    assert refusal(tmp_path / name) == f"{tmp_path / name}: cannot be read: Is a directory"


@pytest.mark.parametrize("ending", [".bin", ".pt", ".pth", ".ckpt"])
def test_a_pickle_is_refused_and_not_opened(tmp_path, ending):
    path = tmp_path / f"model{ending}"
    assert refusal(path) == (
        f"{path}: a {ending} file is a pickle, which can run code when it is read; convert it to "
        "safetensors: safetensors.torch.save_file(state_dict, 'NAME.safetensors')"
    )


@pytest.mark.parametrize("length", [0, 7, 8, 60, -1])
def test_a_truncated_checkpoint_is_refused_at_any_length(whole, length):
    whole.write_bytes(whole.read_bytes()[:length])
    message = refusal(whole)
    assert message.startswith(f"{whole}: not a whole safetensors file (")
    assert message.endswith("); copy or download it again")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 not a checkpoint at all", "not a whole safetensors file ("),
        (one_tensor(""), "'' cannot be a parameter's name: parameter name can't be empty string"),
        (one_tensor("a..b"), "'a..b' cannot be a parameter's name: module name can't be empty"),
        (one_tensor("a."), "'a.' cannot be a parameter's name: parameter name can't be empty"),
        (one_tensor("type.b"), "'type.b' cannot be a parameter's name: attribute 'type' already"),
        (one_tensor("a." * 101 + "b"), "…' lies in 101 modules; at most 100 are allowed"),
        (one_tensor("a", "F8_E8M0", (4,)), "'a' is of dtype F8_E8M0; a parameter is of F64, F32"),
        (one_tensor("a", shape=[0, 2**63], size=0), f"'a' has the shape [0, {2**63}], more than t"),
        (one_tensor("a", shape=[0, 2**62, 8], size=0), "more than torch can address"),
    ],
)
def test_what_no_parameter_can_be_is_named(tmp_path, content, message):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    found = refusal(path)
    assert found.startswith(f"{path}: ")
    assert message in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON: Expecting property name enclosed in double quotes: line 1 column"),
        ("[" * 100_000, "not valid JSON: "),
        ("1" * 5_000, "not valid JSON: Exceeds the limit"),
        ("[]", "expected the index of a sharded checkpoint, with a weight_map from tensor names"),
        ('{"hidden_size": 8}', "expected the index of a sharded checkpoint, with a weight_map"),
        ('{"weight_map": {"a": 1}}', "expected the index of a sharded checkpoint, with a weight_m"),
        ('{"weight_map": {"a": "../b.safetensors"}}', "shard '../b.safetensors' lies outside the"),
        ('{"weight_map": {"a": "/b.safetensors"}}', "shard '/b.safetensors' lies outside the ind"),
        ('{"weight_map": {"a": "b.bin"}}', "shard 'b.bin' is no .safetensors file; only those can"),
        (
            '{"weight_map": {"stem.wieght": "b.safetensors"}}',
            "shard 'b.safetensors' has no 'stem.wieght'; did you mean 'stem.weight'?",
        ),
    ],
)
def test_a_faulty_index_is_refused(index, content, message):
    index.write_text(content)
    found = refusal(index)
    assert found.startswith(f"{index}: {message}")


def test_a_missing_shard_is_named(index):
    shard = index.parent / "b.safetensors"
    shard.unlink()
    assert refusal(index) == f"{shard}: cannot be read: No such file or directory"


def test_a_list_of_names_gives_parameters_without_a_shape(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\ufeffpatch_embed.proj.weight\n\n  pos_embed\t\r\nblocks.0.norm1.bias")
    model = build_model(str(path))
    found = dict(model.named_parameters())
    assert sorted(found) == ["blocks.0.norm1.bias", "patch_embed.proj.weight", "pos_embed"]
    assert {(type(p), p.device.type) for p in found.values()} == {(UninitializedParameter, "meta")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a.b\n\nc\na.b\n", "'a.b' stands on line 1 and again on line 4; a model has each name"),
        (b"a\na.b.c\n", "'a' is a parameter, and also the module that holds 'a.b.c'; it can be on"),
        (b"a.b.c\na.b\n", "'a.b' is a parameter, and also the module that holds 'a.b.c'; it can"),
        (b"a..b\n", "'a..b' cannot be a parameter's name: module name can't be empty string"),
        (b"a\xff\n", "byte 0xff at offset 1 is not UTF-8; expected a text file"),
    ],
)
def test_a_faulty_list_of_names_is_refused(tmp_path, content, message):
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: {message}")


def test_a_checkpoint_and_a_list_of_its_names_have_the_layers_of_the_model(tmp_path):
    model = build_model("vit_tiny_patch16_224")
    checkpoint, names = tmp_path / "vit.safetensors", tmp_path / "vit.txt"
    save_file({name: torch.zeros(p.shape) for name, p in model.named_parameters()}, checkpoint)
    names.write_text("\n".join(name for name, _ in model.named_parameters()))
    expected = {name: row.layer for name, row in assign_layers(model).items()}
    for path in (checkpoint, names):
        found = assign_layers(build_model(str(path)))
        assert {name: row.layer for name, row in found.items()} == expected


RULES = "arch: tiny\nlayers: [stem: [stem.**, scale], block: 'blocks.{index}.**']\n"


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(RULES)
    return path


def test_explain_reads_a_checkpoint(lrd, whole, rules):
    status, out, err = lrd("explain", whole, "--arch", rules, "--layer-decay", "0.5")
    assert (status, err) == (0, "")
    title, *lines = out.splitlines()
    assert title == f"{whole}: tiny (layout default), 2 layers, layer decay 0.5"
    assert [line.split() for line in lines[1:]] == [
        ["0", "stem", "2", "7", "0.5", "0.05", "6"],
        ["1", "block", "2", "12", "1", "0.05", "8"],
    ]


def test_explain_of_names_alone_leaves_out_what_needs_shapes(lrd, tmp_path, rules):
    names = tmp_path / "names.txt"
    names.write_text("stem.weight\nblocks.0.fc.weight\nblocks.0.fc.bias\n")
    status, out, err = lrd("explain", names, "--arch", rules, "--layer-decay", "0.5")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["layer", "entry", "parameters", "scale"],
        ["0", "stem", "1", "0.5"],
        ["1", "block", "2", "1"],
    ]
    data = json.loads(lrd("explain", names, "--arch", rules, "--json", "--parameters")[1])
    assert data == {
        "model": str(names),
        "layer_decay": 0.75,
        "arch": "tiny",
        "layout": "default",
        "num_layers": 2,
        "parameters": [
            {
                "layer": layer,
                "name": name,
                "entry": entry,
                "pattern": pattern,
                "scale": 0.75 ** (1 - layer),
            }
            for layer, name, entry, pattern in [
                (0, "stem.weight", "stem", "stem.**"),
                (1, "blocks.0.fc.weight", "block", "blocks.{index}.**"),
                (1, "blocks.0.fc.bias", "block", "blocks.{index}.**"),
            ]
        ],
    }


def test_explain_of_names_alone_still_checks_the_layer_decay(lrd, tmp_path, rules):
    (tmp_path / "names.txt").write_text("stem.weight\nblocks.0.fc.weight\n")
    status, _, err = lrd("explain", tmp_path / "names.txt", "--arch", rules, "--layer-decay", "-1")
    assert status == 2
    assert err.startswith("lrd: layer_decay must be finite and above 0")


@pytest.mark.parametrize("name", ["m.safetensors", "m.bin", "m.json", "m.txt"])
def test_explain_of_a_file_that_cannot_be_read_ends_with_2(lrd, tmp_path, name):
    status, out, err = lrd("explain", tmp_path / name)
    assert (status, out) == (2, "")
    assert err.startswith(f"lrd: {tmp_path / name}: ")


@pytest.mark.filterwarnings("always::UserWarning")
def test_a_layer_decay_above_1_is_warned_of_once_without_shapes(lrd, tmp_path, rules):
    names = tmp_path / "names.txt"
    names.write_text("stem.weight\nblocks.0.fc.weight\n")
    status, _, err = lrd("explain", names, "--arch", rules, "--layer-decay", "1.5")
    assert status == 0
    assert err.count("layer_decay=1.5 is above 1: early layers get a higher learning rate") == 1
