"""Figures and tables of the soft-quantization paper, regenerated: each target one file in ``targets``."""

from robbench.reproducing.contract import PaperRun, Target, Training
from robbench.reproducing.registration import register_target, targets
from robbench.reproducing.reproduction import Reproduced, ReproduceRequest, reproduce

__all__ = [
    "PaperRun",
    "ReproduceRequest",
    "Reproduced",
    "Target",
    "Training",
    "register_target",
    "reproduce",
    "targets",
]
