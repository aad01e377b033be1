"""The tensor shapes of robbench's signatures, by name."""

from jaxtyping import Bool, Float, Int64
from torch import Tensor

Images = Float[Tensor, "n channels height width"]
"""A batch of images, float32, each value in [0, 1]."""
Labels = Int64[Tensor, " n"]
"""The true class of each image, counted from 0."""
Logits = Float[Tensor, "n classes"]
"""A classifier's output before the softmax."""
PerSample = Float[Tensor, " n"]
"""One number for each image of a batch."""
Flags = Bool[Tensor, " n"]
"""One truth value for each image of a batch."""
Keys = Int64[Tensor, " n"]
"""One key of the counter-based random generator for each image of a batch."""
