"""The comparison of fast robust trainings: its sweeps, its evidence, the papers' claims and the tables."""
