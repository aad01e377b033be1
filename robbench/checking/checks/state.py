"""Whether eval mode holds, and whether the defense knows all of its parts."""

from collections.abc import Iterator

from torch import Tensor, nn

from robbench.checking.contract import Finding, Subject
from robbench.checking.registration import register_check
from robbench.defenses.loading import state_hash, views_of


@register_check("eval mode", order=80)
def eval_mode(subject: Subject) -> Finding:
    """Compares modes and tensors before and after a forward pass in eval mode."""
    before = state_hash(subject.defense)
    for view in subject.defense.views:
        subject.logits(subject.few.images, view)
    modules = [module for view in views_of(subject.defense) for module in view.modules()]
    awake = sorted({type(module).__name__ for module in modules if module.training})
    if awake:
        return Finding(
            "failure",
            f"In training mode although eval() was called: {', '.join(awake)}.",
            "Call no train() in forward, and let an overridden train(mode) obey its argument.",
        )
    if state_hash(subject.defense) != before:
        return Finding(
            "failure",
            "A forward pass in eval mode changes the defense's tensors.",
            "Update running statistics and counters only where self.training is true.",
        )
    return Finding("pass", "eval() reaches every module, and a forward pass changes no tensor.")


@register_check("registered parts", order=90)
def registered_parts(subject: Subject) -> Finding:
    """Looks for modules and tensors that torch does not know of, which no .to(device) or eval() reaches."""
    known = {id(module) for module in views_of(subject.defense).modules()}
    hidden = sorted(
        {found for module in views_of(subject.defense).modules() for found in _hidden(module, known)}
    )
    if not hidden:
        return Finding("pass", "torch knows every module and tensor that is held.")
    return Finding(
        "warning",
        f"torch does not know of {', '.join(hidden[:5])}{' …' if len(hidden) > 5 else ''}.",
        "Hold modules in nn.ModuleList or nn.ModuleDict and tensors by register_buffer, or they stay behind "
        "on the CPU, out of eval mode and out of the hash of the weights.",
    )


def _hidden(module: nn.Module, known: set[int]) -> Iterator[str]:
    """The attributes of a module that hold what torch did not register."""
    for name, value in vars(module).items():
        if name in ("_parameters", "_buffers", "_modules"):
            continue
        inside = list(value) if isinstance(value, list | tuple) else [value]
        inside = list(value.values()) if isinstance(value, dict) else inside
        if any(
            isinstance(each, Tensor) or (isinstance(each, nn.Module) and id(each) not in known)
            for each in inside
        ):
            yield f"{type(module).__name__}.{name}"
