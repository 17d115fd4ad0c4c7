"""The list that travels with a box (交接清单): what is in it, under which seals, and two lines to sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from io import BytesIO
from typing import Any

from dna_intake import printing
from dna_intake.domain.words import CATEGORY_EN, CATEGORY_ZH
from dna_intake.shipment_models import ItemRow, ShipmentRow

BEIJING = timezone(timedelta(hours=8))
WIDTH, HEIGHT, LEFT, RIGHT = 210.0, 297.0, 15.0, 195.0
TOP, FIRST_ROW, ROW_HEIGHT, ROWS = 280.0, 240.0, 11.0, 18
_COLUMNS = {"number": LEFT, "bars": LEFT + 8, "barcode": 72.0, "category": 108.0, "seal": 152.0}


def list_pdf(row: ShipmentRow, items: Sequence[ItemRow]) -> bytes:
    """The list of a shipment on A4, `ROWS` tubes a page."""
    buffer = BytesIO()
    page = printing.canvas(buffer, WIDTH, HEIGHT, "Guitu shipment list")
    sheets = [items[at : at + ROWS] for at in range(0, len(items), ROWS)]
    for number, sheet in enumerate(sheets, start=1):
        _head(page, row, len(items))
        for place, item in enumerate(sheet):
            _line(page, (number - 1) * ROWS + place + 1, item, FIRST_ROW - place * ROW_HEIGHT)
        _foot(page, number, len(sheets))
        page.showPage()
    page.save()
    return buffer.getvalue()


def _head(page: Any, row: ShipmentRow, many: int) -> None:
    printing.text(page, "检材交接清单", LEFT, TOP, size_pt=16, font=printing.CHINESE)
    printing.text(page, "Specimen shipment list", LEFT + 42, TOP, size_pt=12)
    if row.exercise:
        printing.exercise_mark(page, RIGHT, TOP, size_pt=12)
    sent_at = row.sent_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    for place, (zh, en, value) in enumerate(
        [
            ("送检单位", "From", row.sent_from),
            ("实验室", "To", row.laboratory),
            ("箱封签", "Seal of the box", row.seal),
            ("送出时间(北京)", "Sent (Beijing time)", f"{sent_at}   {row.sent_by}"),
            ("检材数", "Specimens", str(many)),
        ]
    ):
        y = TOP - 8 - place * 5.2
        printing.text(page, zh, LEFT, y, size_pt=9, font=printing.CHINESE)
        printing.text(page, en, LEFT + 27, y, size_pt=8)
        printing.text(page, value, LEFT + 60, y, size_pt=10, font=printing.CHINESE)


def _line(page: Any, number: int, item: ItemRow, y: float) -> None:
    printing.text(page, str(number), _COLUMNS["number"], y + 2, size_pt=9)
    printing.bars(page, item.barcode, _COLUMNS["bars"], y, module_mm=0.25, height_mm=7)
    printing.text(page, item.barcode, _COLUMNS["barcode"], y + 2, size_pt=10, font=printing.CODE)
    chinese, english = CATEGORY_ZH[item.category], CATEGORY_EN[item.category]
    printing.text(page, chinese, _COLUMNS["category"], y + 4, size_pt=8, font=printing.CHINESE)
    printing.text(page, english, _COLUMNS["category"], y + 0.8, size_pt=7)
    printing.text(page, item.seal, _COLUMNS["seal"], y + 2, size_pt=8)
    # A box to tick when the tube was scanned.
    printing.tick_box(page, RIGHT - 5, y + 1, size_mm=4)


def _foot(page: Any, number: int, many: int) -> None:
    for x, zh, en in ((LEFT, "移交人", "Handed over by"), (WIDTH / 2, "接收人", "Received by")):
        printing.text(page, zh, x, 24, size_pt=10, font=printing.CHINESE)
        printing.text(page, f"{en}  ______________________", x + 13, 24, size_pt=9)
    printing.text(page, f"{number} / {many}", RIGHT - 10, 12, size_pt=8)
