"""What is asserted in the helpers of the trainers' tests keeps its detail, whoever imports them."""

import pytest

pytest.register_assert_rewrite("tests.trainers.tiny")
