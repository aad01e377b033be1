"""Figure 2: soft quantization and its gradient, K = 8 and α = 1000."""

from matplotlib.figure import Figure

from robbench.figures.staircase import draw_staircase
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.reproducing.staircase import sample_staircase
from robbench.text_table import TextTable

_LEVELS, _ALPHA, _POINTS = 8, 1000.0, 3201


@register_target
class Figure2(Target):
    """Computed from the very layer that the defenses use, by automatic differentiation."""

    name = "fig2"
    title = "Figure 2"
    caption = f"Soft quantization and its gradient, K = {_LEVELS}, α = {_ALPHA:g}"

    def compute(self, shelf: Shelf) -> None:
        if shelf.read_data(self.name) is None:
            shelf.write_data(self.name, sample_staircase(_LEVELS, _ALPHA, _POINTS))

    def collect(self, shelf: Shelf) -> Collected | None:
        points = shelf.read_data(self.name)
        return None if points is None else Collected(points, [])

    def draw(self, collected: Collected) -> Figure | None:
        return draw_staircase(collected.data, self.caption)

    def table(self, collected: Collected) -> TextTable | None:
        return None
