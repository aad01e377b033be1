"""The columns of the tables: name, type, unit and meaning."""

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 1
"""Raised when a column changes its name, type or meaning; written into every run."""

MINIMUM_NORM = "minimum-norm"
"""What the column ``strategy`` says where one run of the attack fills the whole curve: nothing was swept."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: The name.
        type: The Arrow type.
        meaning: What a value says, with its unit.
        nullable: Whether a value may be missing.
    """

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


OUTCOMES = (
    Column("dataset", pa.string(), "registered name of the dataset"),
    Column("defense", pa.string(), "name of the defense"),
    Column("attack", pa.string(), "canonical name of the attack"),
    Column("backend", pa.string(), "who ran it: native, pyautoattack, torchattacks, foolbox or art"),
    Column(
        "view", pa.string(), "what was differentiated: exact, bpda, substitute, smooth, or transfer:<defense>"
    ),
    Column("loss", pa.string(), "loss the attack ascends; empty where it is no choice"),
    Column("norm", pa.string(), "norm that measures ε: linf or l2"),
    Column("criterion", pa.string(), "top1: broken when the label is not first; top5: when not among five"),
    Column("sample_index", pa.int64(), "position in the dataset's split, from 0"),
    Column("sample_id", pa.string(), "16 hex digits of the SHA-256 of the stored pixels"),
    Column("label", pa.int64(), "true class, from 0"),
    Column("clean_pred", pa.int64(), "class predicted for the unperturbed image"),
    Column("clean_correct", pa.bool_(), "whether the unperturbed image meets the criterion"),
    Column("broken", pa.list_(pa.bool_()), "per grid ε: whether the strategy found the sample broken there"),
    Column(
        "critical_epsilon", pa.float64(), "smallest grid ε at which it broke, pixel scale; null: never", True
    ),
    Column(
        "distance", pa.float64(), "measured distance of the smallest adversarial image kept; null: none", True
    ),
    Column("adv_pred", pa.int64(), "class predicted for that image; null: none", True),
    Column(
        "n_forward", pa.float64(), "forward passes spent on this sample; a mean where a library ran a batch"
    ),
    Column("n_backward", pa.float64(), "backward passes spent on this sample; likewise"),
    Column("strategy", pa.string(), "how the grid was swept"),
    Column("seed", pa.int64(), "seed of the run"),
    Column("job_id", pa.string(), "computation that produced the row; attacks that coincide share one"),
)
"""One row per (defense, attack, sample)."""

CURVES = (
    Column("dataset", pa.string(), "registered name of the dataset"),
    Column("defense", pa.string(), "name of the defense"),
    Column(
        "attack", pa.string(), "canonical name of the attack; worst-of: broken by any of the run's attacks"
    ),
    Column("backend", pa.string(), "who ran it; all: worst-of"),
    Column("view", pa.string(), "what was differentiated; all: worst-of"),
    Column("loss", pa.string(), "loss the attack ascends; empty where it is no choice"),
    Column("norm", pa.string(), "norm that measures ε"),
    Column("criterion", pa.string(), "top1 or top5"),
    Column("epsilon", pa.float64(), "radius, pixel scale, images in [0, 1]"),
    Column("n", pa.int64(), "samples, clean errors included"),
    Column("n_correct", pa.int64(), "samples not broken at this ε"),
    Column("robust_accuracy", pa.float64(), "n_correct / n"),
    Column("ci_low", pa.float64(), "lower end of the Wilson 95 % interval"),
    Column("ci_high", pa.float64(), "upper end of the Wilson 95 % interval"),
    Column("strategy", pa.string(), "how the grid was swept"),
    Column("seed", pa.int64(), "seed of the run"),
    Column("job_id", pa.string(), "computation behind the curve; of worst-of all of them, joined by +"),
)
"""One row per (dataset, defense, attack, ε): tidy, and readable alone."""


EXAMPLES = (
    Column("sample_index", pa.int64(), "position in the dataset's split, from 0"),
    Column("sample_id", pa.string(), "16 hex digits of the SHA-256 of the stored pixels"),
    Column("label", pa.int64(), "true class, from 0"),
    Column("clean_pred", pa.int64(), "class predicted for the unperturbed image"),
    Column("adv_pred", pa.int64(), "class predicted for the adversarial image"),
    Column("critical_epsilon", pa.float64(), "smallest grid ε at which it broke, pixel scale"),
    Column("distance", pa.float64(), "measured distance of the adversarial image"),
    Column("channels", pa.int64(), "of both images"),
    Column("height", pa.int64(), "of both images, pixels"),
    Column("width", pa.int64(), "of both images, pixels"),
    Column("image", pa.binary(), "unperturbed, in [0, 1]: float32, little-endian, channels first"),
    Column("adversarial", pa.binary(), "the closest adversarial image found, bit by bit as it was judged"),
)
"""One row for each of a few samples that a job broke: something to look at."""


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of a table, each column's meaning in its metadata."""
    fields = [
        pa.field(column.name, column.type, column.nullable, {"meaning": column.meaning}) for column in columns
    ]
    return pa.schema(fields, metadata={"robbench_schema": str(SCHEMA_VERSION)})
