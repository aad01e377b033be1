"""Networks: the basic classifiers that defenses wrap, taking images in [0, 1]."""

from robbench.networks.registration import build_network, networks, register_network

__all__ = ["build_network", "networks", "register_network"]
