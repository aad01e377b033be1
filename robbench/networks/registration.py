"""The registry of networks."""

from collections.abc import Callable

from torch import nn

from robbench.registry import Registry

NetworkFactory = Callable[[tuple[int, int, int], int], nn.Module]
"""Builds an untrained network from the image shape (channels, height, width) and the class count."""

networks: Registry[NetworkFactory] = Registry("network", "robbench.networks", "robbench list networks")
register_network = networks.register


def build_network(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """An untrained network by name.

    Raises:
        UserError: No network has this name.
    """
    return networks.get(name)(shape, classes)
