"""Benchmarking: the same sweep by the attack libraries and by robbench, in one process, alternating."""
