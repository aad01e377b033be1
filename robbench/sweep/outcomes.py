"""What a sweep finds out about each sample, kept on the device until it is handed on as rows."""

from dataclasses import dataclass

import pyarrow as pa
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from robbench.schema import OUTCOMES, arrow_schema
from robbench.sweep.examples import Examples
from robbench.sweep.feed import Window
from robbench.tensors import Flags, Images, Labels, PerSample


@dataclass(frozen=True)
class Findings:
    """What was found about each sample of a window; written as it becomes known.

    Attributes:
        broken: Per sample and grid ε, whether it was found broken there.
        distance: The distance of the smallest adversarial image; inf: none.
        prediction: The class predicted for that image; -1: none.
        n_forward: Forward passes spent.
        n_backward: Backward passes spent.
        examples: The smallest adversarial images of a few samples.
    """

    broken: Bool[Tensor, "n points"]
    distance: PerSample
    prediction: Labels
    n_forward: PerSample
    n_backward: PerSample
    examples: Examples

    @classmethod
    def of(cls, window: Window, points: int, passes: int = 1) -> "Findings":
        """The findings after the clean prediction: clean errors are broken everywhere, at distance 0.

        Args:
            window: The samples.
            points: The size of the grid.
            passes: Those behind one prediction.
        """
        wrong = ~window.correct
        n, device = len(window.labels), window.labels.device
        return cls(
            broken=wrong.unsqueeze(1).repeat(1, points),
            distance=torch.where(wrong, 0.0, torch.inf),
            prediction=torch.where(wrong, window.prediction, -1),
            n_forward=torch.full((n,), float(passes), device=device),
            n_backward=torch.zeros(n, device=device),
            examples=Examples.of(window),
        )

    def record(
        self,
        rows: Tensor,
        images: Images,
        distance: PerSample,
        prediction: Labels,
        broken: Bool[Tensor, "n points"],
    ) -> None:
        """Add accepted adversarial images of the samples at ``rows``, each row once.

        Args:
            rows: Positions in the window.
            images: The images.
            distance: The measured distance of each.
            prediction: The class predicted for it.
            broken: The grid points at which it counts.
        """
        self.broken[rows] |= broken
        closer = distance < self.distance[rows]
        self.examples.keep(rows, images, closer)
        self.prediction[rows] = torch.where(closer, prediction, self.prediction[rows])
        self.distance[rows] = torch.where(closer, distance, self.distance[rows])


@dataclass(frozen=True)
class RowContext:
    """The columns that are the same in every row of a job.

    Attributes:
        constants: Column name to value.
        epsilons: The grid.
    """

    constants: dict[str, str | int]
    epsilons: tuple[float, ...]

    def table(self, window: Window, findings: Findings, rows: Int64[Tensor, " m"]) -> pa.Table:
        """The outcome rows of some samples of a window.

        Args:
            window: The samples.
            findings: What was found about them.
            rows: Positions in the window.
        """
        where = rows.cpu()
        broken = findings.broken.cpu()[where]
        distance = findings.distance.cpu()[where].double()
        found = distance.isfinite()
        values: dict[str, list[object]] = {
            "sample_index": window.index[where].tolist(),
            "sample_id": [window.ids[i] for i in where.tolist()],
            "label": window.labels.cpu()[where].tolist(),
            "clean_pred": window.prediction.cpu()[where].tolist(),
            "clean_correct": window.correct.cpu()[where].tolist(),
            "broken": broken.tolist(),
            "critical_epsilon": self._critical(broken),
            "distance": _nullable(distance, found),
            "adv_pred": _nullable(findings.prediction.cpu()[where], found),
            "n_forward": findings.n_forward.cpu()[where].double().tolist(),
            "n_backward": findings.n_backward.cpu()[where].double().tolist(),
        }
        count = len(where)
        columns = [values.get(column.name, [self.constants.get(column.name)] * count) for column in OUTCOMES]
        schema = arrow_schema(OUTCOMES)
        return pa.Table.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
            schema=schema,
        )

    def _critical(self, broken: Bool[Tensor, "m points"]) -> list[object]:
        first = broken.int().argmax(1).tolist()
        any_broken = broken.any(1).tolist()
        return [self.epsilons[i] if hit else None for i, hit in zip(first, any_broken, strict=True)]


def _nullable(values: Tensor, known: Flags) -> list[object]:
    return [value if there else None for value, there in zip(values.tolist(), known.tolist(), strict=True)]
