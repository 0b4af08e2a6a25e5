"""The ranks themselves: they see each other, and none that fails or hangs is waited for."""

import os
import time

import pytest
import torch
from torch import distributed

from tests.support.distributed.processes import RankError, on_ranks

pytestmark = pytest.mark.slow


def sum_of_ranks(start):
    total = torch.tensor(start + distributed.get_rank())
    distributed.all_reduce(total)
    return distributed.get_rank(), total.item()


def fail_on_the_last():
    if distributed.get_rank() == 1:
        raise ValueError("out of order")
    distributed.barrier()


def end_on_the_last():
    if distributed.get_rank() == 1:
        os._exit(3)
    distributed.barrier()


def sleep_on_the_last():
    if distributed.get_rank() == 1:
        time.sleep(60)


def test_each_rank_gives_its_result_in_order():
    assert on_ranks(sum_of_ranks, 10, ranks=2) == [(0, 21), (1, 21)]
    assert on_ranks(sum_of_ranks, 10, ranks=1) == [(0, 10)]


def test_the_traceback_of_the_rank_that_failed_is_shown():
    with pytest.raises(RankError, match=r"^rank 1: Traceback(.|\n)*ValueError: out of order"):
        on_ranks(fail_on_the_last)


def test_a_rank_that_ends_is_noticed():
    with pytest.raises(RankError, match="rank 1: it ended with exit code 3"):
        on_ranks(end_on_the_last)


def test_a_rank_that_hangs_is_not_waited_for():
    with pytest.raises(RankError, match="no answer within 2 s from rank 0, rank 1"):
        on_ranks(sleep_on_the_last, timeout=2)
