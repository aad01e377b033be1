"""Agreeing: the same attack through every library on the same samples, and why the outcomes differ."""
