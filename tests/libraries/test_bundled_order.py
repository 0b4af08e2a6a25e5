"""The bundled rule sets are in the order of use, on a model of each family; `make zoo` has all."""

import pytest

from lrd_registry import assign_layers
from lrd_registry.tracing import trace
from lrd_registry.tracing.order_check import check_order
from tests.support.libraries.everything import MODELS

pytestmark = pytest.mark.library

FIRST = {(m.library, m.family, m.layout): m for m in reversed(MODELS)}
ODD = {"vit_small_patch16_rope_mixed_224", "vit_srelpos_small_patch16_224"}


@pytest.mark.parametrize(
    "model",
    [*FIRST.values(), *(model for model in MODELS if model.name in ODD)],
    ids=lambda model: f"{model}-{model.family}",
)
def test_no_layer_contradicts_the_order_of_use(model):
    built = model.build()
    found = check_order(assign_layers(built), trace(built))
    assert (found.contradictions, found.idle) == ((), ())
