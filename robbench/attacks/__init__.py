"""Attacks: the native gradient family and one thin adapter for each library."""

from robbench.attacks.contract import Attack, BudgetAttack, IterativeAttack, MinimumNormAttack, Problem
from robbench.attacks.names import AttackName, parse_attack
from robbench.attacks.registration import attacks, register_attack

__all__ = [
    "Attack",
    "AttackName",
    "BudgetAttack",
    "IterativeAttack",
    "MinimumNormAttack",
    "Problem",
    "attacks",
    "parse_attack",
    "register_attack",
]
