"""Where a result comes from: versions, machine, commit and command."""

import importlib.metadata
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from robbench.wording import counted

_PACKAGES = (
    "robbench",
    "torch",
    "torchvision",
    "numpy",
    "torchattacks",
    "foolbox",
    "adversarial-robustness-toolbox",
    "pyautoattack",
    "timm",
    "scikit-learn",
)
_CODE = ("robbench", "pyproject.toml")
"""What in the checkout computes."""


def provenance(device: torch.device, command: str) -> dict[str, Any]:
    """What a reader needs to obtain a result again.

    Args:
        device: Where it is computed.
        command: The command that asked for it.
    """
    return {
        "command": command,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions()},
        "git_commit": _git_commit(),
        "device": describe_device(device),
        "platform": platform.platform(),
    }


def command_line() -> str:
    """The command being run, as it would be typed."""
    return shlex.join(["robbench", *sys.argv[1:]])


def describe_device(device: torch.device) -> str:
    """A device in words: a GPU's name, or the CPU's with the threads in use."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_cpu_name()}, {counted(torch.get_num_threads(), 'thread')}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "CPU"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "CPU"


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _git_commit() -> str:
    """The commit of the checkout robbench runs from; empty for an installed package."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return ""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        # What is being made, such as results and models, does not compute them.
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", *_CODE)
        return f"{commit} with uncommitted changes" if changed else commit
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
