"""Fast robust training: robust accuracy against cost, curves, a table, and the papers' claims judged."""

from typing import ClassVar

import pandas as pd
from matplotlib.figure import Figure

from robbench.figures.defense_panels import draw_defense_panels
from robbench.figures.training_cost import draw_training_cost
from robbench.reproducing.contract import Collected, Target
from robbench.reproducing.fast_training.claims import CLAIMS
from robbench.reproducing.fast_training.evidence import gather_evidence, summarize
from robbench.reproducing.fast_training.judging import claims_table, judge_claims
from robbench.reproducing.fast_training.remarks import remarks_on
from robbench.reproducing.fast_training.settings import SETTINGS, YARDSTICK
from robbench.reproducing.fast_training.tables import models_table
from robbench.reproducing.fast_training.views import cost_panels, curve_blocks, curves_table
from robbench.reproducing.registration import register_target
from robbench.reproducing.shelf import Shelf
from robbench.text_table import TextTable

_CURVES, _CLAIMS = "curves", "claims"


@register_target
class FastTraining(Target):
    """Cheap trainings beside PGD-AT, each dataset and ε by itself."""

    name = "fast-training"
    title = "Fast robust training, compared"
    caption = "Robust accuracy against the cost of training; up and to the left is better"
    more_figures: ClassVar[tuple[str, ...]] = (_CURVES,)
    runs = tuple(run for setting in SETTINGS for run in setting.runs)

    def collect(self, shelf: Shelf) -> Collected | None:
        known = [gather_evidence(setting, shelf) for setting in SETTINGS]
        trained = [evidence for seeds in known for evidence in seeds]
        summary = pd.concat([summarize(evidence) for evidence in trained], ignore_index=True)
        claims = [judge_claims(CLAIMS[seeds[0].setting], seeds) for seeds in known]
        more = {
            _CURVES: curves_table(trained),
            _CLAIMS: pd.concat(claims, ignore_index=True),
        }
        return Collected(summary, remarks_on(known, shelf), more=more)

    def draw(self, collected: Collected) -> Figure | None:
        panels = cost_panels(collected.data)
        return draw_training_cost(panels, YARDSTICK, self.caption, collected.notes) if panels else None

    def draw_more(self, collected: Collected, name: str) -> Figure | None:
        blocks = curve_blocks(collected.data, (collected.more or {})[_CURVES])
        title = "Accuracy under attack, defense by defense, the most robust first"
        return draw_defense_panels(blocks, YARDSTICK, title) if blocks else None

    def table(self, collected: Collected) -> TextTable | None:
        return None

    def more_tables(self, collected: Collected) -> list[TextTable]:
        return [models_table(collected.data), claims_table((collected.more or {})[_CLAIMS])]
