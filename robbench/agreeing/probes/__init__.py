"""Probes: one small experiment on the installed libraries for each known pitfall, one file per library."""

from robbench.agreeing.probes.registration import Finding, Probe, probes, register_probe

__all__ = ["Finding", "Probe", "probes", "register_probe"]
