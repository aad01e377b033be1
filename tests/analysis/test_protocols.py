import pytest

from robbench.analysis.protocols import PAPER, STRONGER, protocol_of


@pytest.mark.parametrize(
    ("strategy", "protocol"),
    [
        ("independent", PAPER),
        ("survivors", STRONGER),
        ("auto: search", STRONGER),
        ("independent+minimum-norm", PAPER),
        ("minimum-norm", STRONGER),
        ("independent+survivors", STRONGER),
    ],
)
def test_a_minimum_norm_attack_fits_either_protocol(strategy: str, protocol: str) -> None:
    assert protocol_of(strategy) == protocol
