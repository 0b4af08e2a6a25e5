"""Models with a configuration as transformers' have, whatever the configuration lacks."""

from types import SimpleNamespace

import pytest
from torch import nn

from lrd_registry.errors import TraceError
from lrd_registry.tracing import trace
from tests.support.tracing.networks import WIDTH, linear


class Configured(nn.Module):
    """Takes a text, and an image with it unless it refuses."""

    main_input_name = "input_ids"

    def __init__(self, refuses=(), **config):
        super().__init__()
        self.config = SimpleNamespace(model_type="mine", pad_token_id=0, **config)
        self.refuses = refuses
        self.embedding, self.image = nn.Embedding(9, WIDTH), nn.Conv2d(3, WIDTH, 4)
        self.head = linear()

    def forward(self, input_ids, pixel_values=None):
        if pixel_values is None:
            return self.head(self.embedding(input_ids))
        if "images" in self.refuses:
            raise ValueError("no images")
        return self.head(self.embedding(input_ids) + self.image(pixel_values).mean((2, 3))[:, None])


def test_a_text_and_an_image():
    assert trace(Configured()).unused == ()


def test_where_both_do_not_go_together_the_text_alone():
    assert trace(Configured(refuses=["images"])).unused == ("image.weight", "image.bias")


class Requiring(Configured):
    def forward(self, input_ids, pixel_values, grammar):  # noqa: ARG002
        return self.head(self.embedding(input_ids))


def test_what_nobody_knows_is_asked_for():
    with pytest.raises(TraceError) as caught:
        trace(Requiring())
    assert str(caught.value) == (
        "Requiring does not say what it takes, as models of timm, transformers, torchvision and "
        "open_clip do; pass inputs: a shape such as (2, 3, 224, 224), tensors, or a mapping by "
        "argument name"
    )


def test_where_the_image_cannot_be_made_the_text_alone():
    assert trace(Configured(image_size="large")).unused == ("image.weight", "image.bias")


def test_a_configuration_that_is_not_as_others_are_is_told():
    with pytest.raises(TraceError) as caught:
        trace(Configured(max_position_embeddings="many"))
    assert str(caught.value) == (
        "Configured does not say what it takes in the usual way (TypeError: '>' not supported "
        "between instances of 'str' and 'int'); pass inputs: a shape such as (2, 3, 224, 224), "
        "tensors, or a mapping by argument name"
    )
