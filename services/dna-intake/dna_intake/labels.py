"""Labels for tubes and forms: a barcode, what kind of specimen, which region; never a name and never a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

from contracts.dna import SpecimenCategory
from dna_intake import printing
from dna_intake.domain.words import CATEGORY_EN, CATEGORY_ZH

Layout = Literal["single", "sheet"]


@dataclass(frozen=True)
class Paper:
    """Labels on a page, in mm: their size, and how far apart they stand; the grid is centred on the page."""

    page_width: float
    page_height: float
    width: float
    height: float
    columns: int = 1
    rows: int = 1
    pitch_x: float = 0
    pitch_y: float = 0
    module: float = 0.25
    bars_height: float = 8.0

    @property
    def on_a_page(self) -> int:
        """How many labels a page has."""
        return self.columns * self.rows


# Sizes of the trade: a 50 x 25 mm roll for label printers, and A4 sheets of 24 labels of 63.5 x 33.9 mm (those
# that are sold as L7159 and its equals). A module of 0.25 mm is what common scanners read at hand's breadth.
PAPERS: dict[Layout, Paper] = {
    "single": Paper(50, 25, 50, 25),
    "sheet": Paper(
        210, 297, 63.5, 33.9, columns=3, rows=8, pitch_x=66.04, pitch_y=33.9, module=0.3, bars_height=12
    ),
}


@dataclass(frozen=True)
class Label:
    """What stands on a label; there is no field for anything else."""

    barcode: str
    category: SpecimenCategory
    region_code: str
    exercise: bool
    tries: int = 1


def labels_pdf(labels: Sequence[Label], layout: Layout, skip: int = 0) -> bytes:
    """A PDF with these labels in their order; `skip` places of the first page are used up already."""
    paper = PAPERS[layout]
    buffer = BytesIO()
    page = printing.canvas(buffer, paper.page_width, paper.page_height, "Guitu labels")
    for number, label in enumerate(labels, start=skip):
        place = number % paper.on_a_page
        if place == 0 and number > skip:
            page.showPage()
        _draw(page, label, paper, *_corner(paper, place))
    page.showPage()
    page.save()
    return buffer.getvalue()


def _corner(paper: Paper, place: int) -> tuple[float, float]:
    """The lower left corner of a place, in mm; places are counted by rows from the top left."""
    row, column = divmod(place, paper.columns)
    grid_width = (paper.columns - 1) * paper.pitch_x + paper.width
    grid_height = (paper.rows - 1) * paper.pitch_y + paper.height
    left, top = (paper.page_width - grid_width) / 2, (paper.page_height + grid_height) / 2
    return left + column * paper.pitch_x, top - row * paper.pitch_y - paper.height


def _draw(page: Any, label: Label, paper: Paper, x: float, y: float) -> None:
    bars_x = x + (paper.width - printing.bars_width_mm(paper.module)) / 2
    bars_y = y + paper.height - paper.bars_height - 2
    printing.bars(page, label.barcode, bars_x, bars_y, module_mm=paper.module, height_mm=paper.bars_height)
    words_x = bars_x + printing.QUIET_MODULES * paper.module
    printing.text(page, label.barcode, words_x, bars_y - 4.2, size_pt=11, font=printing.CODE)
    chinese, english = CATEGORY_ZH[label.category], f"{CATEGORY_EN[label.category]} · {label.region_code}"
    printing.text(page, chinese, words_x, bars_y - 8, size_pt=8, font=printing.CHINESE)
    printing.text(page, english, words_x, bars_y - 11.2, size_pt=6.5)
    right = words_x + printing.SYMBOLS_MODULES * paper.module
    if label.tries > 1:
        printing.text(page, f"补采{label.tries}", right - 7.5, bars_y - 4.2, size_pt=7, font=printing.CHINESE)
    if label.exercise:
        printing.exercise_mark(page, right, bars_y - 8, size_pt=7)
