"""Benchmarking: the same sweep by the attack libraries and by robbench, in one process, alternating."""

from robbench.bench.request import BenchRequest, PreparedBench, prepare_bench

__all__ = ["BenchRequest", "PreparedBench", "prepare_bench"]
