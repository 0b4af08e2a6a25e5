"""One thread: networks this small only wait for more."""

import pytest
import torch

pytest.register_assert_rewrite("tests.trainers.tiny")


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
