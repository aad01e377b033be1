"""The memory that a training takes at most."""

import sys
from pathlib import Path
from typing import NamedTuple

import torch

ALLOCATED = "allocated on the GPU by torch"
RESIDENT = "resident memory of the whole process during the training"
RESIDENT_SINCE_START = "resident memory of the whole process since its start"

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"


class PeakMemory(NamedTuple):
    """A peak and what it is the peak of."""

    bytes: int
    measure: str


class MemoryMeter:
    """Measures the peak of memory from its making on.

    On a GPU that is what torch allocated. On a CPU torch keeps no count, so it is the resident memory of the
    process, libraries and data included: good for comparing trainings in like processes, not as a size by
    itself. Where the system cannot forget an earlier peak, it is the peak since the process began.

    Args:
        device: Where the training runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._measure = ALLOCATED
        else:
            self._measure = RESIDENT if _forget_peak() else RESIDENT_SINCE_START

    def peak(self) -> PeakMemory:
        """The peak so far."""
        if self._measure == ALLOCATED:
            return PeakMemory(torch.cuda.max_memory_allocated(self._device), ALLOCATED)
        if self._measure == RESIDENT:
            return PeakMemory(_high_water(), RESIDENT)
        import resource  # not on Windows

        usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Linux counts in KiB, macOS in bytes.
        return PeakMemory(usage if sys.platform == "darwin" else usage * 1024, RESIDENT_SINCE_START)


def _forget_peak() -> bool:
    """Reset Linux's high-water mark of this process (man 5 proc_pid_clear_refs); False where it cannot."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
        return _high_water() > 0
    except OSError:
        return False


def _high_water() -> int:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
