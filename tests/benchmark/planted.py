"""Contenders that need no engine, some of them bad, each made by a function of this file."""

from __future__ import annotations

import os
import time

import numpy as np

from tinyconv.benchmark.contender import Job, Unsupported


class Planted:
    """Gives the sum of the case's input; `shift` makes it wrong."""

    def __init__(self, shift=0.0, run=lambda: None):
        self.version = "1.0"
        self.shift, self.action = shift, run

    def prepare(self, case, task):
        if task != "forward":
            raise Unsupported("it only goes forward")
        x = case.arrays()[0]
        self.prepared = []

        def run():
            assert len(self.prepared) == 1, "`before` is called once before each call"
            self.prepared.clear()
            self.action()

        output = x.sum(axis=1) * (1 + self.shift)
        return Job(run, lambda: {"output": output}, before=lambda: self.prepared.append(1))


def right(threads):
    print("this is no answer")
    return Planted()


def slightly_different(threads):
    return Planted(shift=1e-6)


def wrong(threads):
    return Planted(shift=1e-3)


def not_a_number(threads):
    return Planted(shift=np.nan)


def missing(threads):
    raise ImportError("No module named 'planted_engine'\nand a second line")


def crashing(threads):
    return Planted(run=lambda: os._exit(7))


def failing(threads):
    def fail():
        raise ValueError("a bad day")

    return Planted(run=fail)


def slow(threads):
    return Planted(run=lambda: time.sleep(0.03))


def sleeping(threads):
    return Planted(run=lambda: time.sleep(30))


class Greedy(Planted):
    """Holds 64 MiB during a step, and 192 MiB in its first, if the case is not the tiny one."""

    steps = 0

    def prepare(self, case, task):
        job = super().prepare(case, task)
        if case.size == (8, 8):
            return job

        def run():
            job.run()
            self.steps += 1
            np.full(2**20 * (192 if self.steps == 1 else 64), 1, np.uint8)

        return Job(run, job.results, job.before)


def greedy(threads):
    return Greedy()


def told_threads(threads):
    contender = Planted()
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    contender.version = " ".join([str(threads), *(os.environ[name] for name in names), str(cores)])
    return contender
