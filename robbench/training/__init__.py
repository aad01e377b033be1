"""Training: the loop, its checkpoints, and the model cards of what it makes."""
