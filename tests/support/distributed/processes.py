"""A function run on several ranks: real processes, joined by gloo over a file store."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, NamedTuple

import torch
from torch import distributed

TIMEOUT = 60.0

# Each rank is forked from one server that has imported the libraries, which takes seconds.
SERVED = get_context("forkserver")
SERVED.set_forkserver_preload(
    ["tests.support.distributed.engines", "tests.support.distributed.training"]
)


class RankError(Exception):
    """A rank that raised, ended, or gave no answer in time."""


class Rank(NamedTuple):
    """One process, and where its answer arrives: its result, or its traceback."""

    number: int
    process: BaseProcess
    answers: Connection


def on_ranks(
    function: Callable[..., Any], *arguments: Any, ranks: int = 2, timeout: float = TIMEOUT
) -> list[Any]:
    """What a function of a module's top returns on each rank, in their order.

    Raises:
        RankError: a rank failed, with its traceback; the others are ended.
    """
    with TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        started = [_start(n, ranks, store, timeout, function, arguments) for n in range(ranks)]
        try:
            return _gather(started, timeout)
        finally:
            for rank in started:
                rank.process.kill()
                rank.process.join()


def _start(number: int, *task: Any) -> Rank:
    answers, sender = SERVED.Pipe(duplex=False)
    process = SERVED.Process(target=_run, args=(sender, number, *task), daemon=True)
    process.start()
    sender.close()  # the rank has the only other one: if it ends, that is seen here
    return Rank(number, process, answers)


def _gather(started: list[Rank], timeout: float) -> list[Any]:
    waiting = {rank.answers: rank for rank in started}
    results: dict[int, Any] = {}
    deadline = monotonic() + timeout
    while waiting:
        ready = wait(list(waiting), max(0.0, deadline - monotonic()))
        if not ready:
            late = ", ".join(f"rank {rank.number}" for rank in waiting.values())
            raise RankError(f"no answer within {timeout:g} s from {late}")
        results |= _receive([waiting.pop(answers) for answers in ready])
    return [results[number] for number in range(len(started))]


def _receive(ready: list[Rank]) -> dict[int, Any]:
    results, failures = {}, []
    for rank in ready:
        try:
            results[rank.number], failure = rank.answers.recv()
        except EOFError:
            rank.process.join()
            failure = f"it ended with exit code {rank.process.exitcode}"
        if failure:
            failures.append(f"rank {rank.number}: {failure}")
    if failures:
        raise RankError("\n".join(failures))
    return results


def _run(
    sender: Connection,
    number: int,
    ranks: int,
    store: str,
    timeout: float,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    """On the rank: join the others, call the function, and send what comes of it."""
    torch.set_num_threads(1)
    try:
        distributed.init_process_group(
            "gloo",
            init_method=f"file://{store}",
            rank=number,
            world_size=ranks,
            timeout=timedelta(seconds=timeout),
        )
        result = function(*arguments)
        distributed.barrier()
        distributed.destroy_process_group()
        sender.send((result, None))
    except BaseException:
        sender.send((None, traceback.format_exc()))
