"""Posters: how long a page to print and a picture to share take, warm, through the worker process that draws them.

The ceiling is the same drawing without the process between: what the pickling and the pipe cost shows beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable

from _figures import Figure, percentile, show
from alerts.pictures import Renditions, renditions
from alerts.poster import poster_pdf, share_image
from alerts.poster_words import Line, Poster
from guitu.worker import Worker
from harness.pictures import photo

PHOTO_SIZE = (3000, 4000)
"""A phone's photo of 12 million pixels."""
DEADLINE_S = 20.0
Draw = Callable[[Poster], bytes]


def poster_of(picture: bytes) -> Poster:
    """A poster with every line that there can be."""
    made = renditions(picture)
    assert isinstance(made, Renditions), made
    facts = (
        Line("性别", "Sex", "女 girl"),
        Line("年龄", "Age", "6岁 6 years"),
        Line("身高", "Height", "118 cm"),
        Line("走失时间", "Last seen", "2026-03-01 14:05"),
        Line("走失地点", "Where", "云阳汽车站"),
        Line("特征", "Appearance", "红色羽绒服,蓝色牛仔裤,白色运动鞋,背粉色书包,书包上挂一只小熊。" * 3),
    )
    said = (
        "CY-0472",
        "A5002350000002026030001",
        "云阳县公安局",
        "Yunyang County Public Security Bureau",
        "110",
    )
    return Poster(
        False,
        *said,
        "https://guitu.example.org/p/0123456789abcdefghijkl",
        facts,
        made.poster,
        "2026-03-01 15:00",
    )


def bare_ms(draw: Draw, poster: Poster, times: int) -> list[float]:
    """In this process, warm."""
    draw(poster)
    return [_ms(lambda: draw(poster)) for _ in range(times)]


def _ms(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


async def drawn_ms(worker: Worker, draw: Draw, poster: Poster, times: int) -> tuple[list[float], int]:
    """Through the worker, warm; and how many bytes a drawing has."""
    size, taken = len(await worker.run(draw, poster, deadline_s=DEADLINE_S)), []
    for _ in range(times):
        began = time.perf_counter()
        await worker.run(draw, poster, deadline_s=DEADLINE_S)
        taken.append((time.perf_counter() - began) * 1000)
    return taken, size


async def measured(times: int) -> dict[str, Figure]:
    """Every figure."""
    taken = photo(PHOTO_SIZE, noise=True)
    began = time.perf_counter()
    poster = poster_of(taken)
    rendered = (time.perf_counter() - began) * 1000
    worker = Worker(0, "alerts.poster")
    figures: dict[str, Figure] = {}
    try:
        for name, draw, bytes_goal in (("pdf", poster_pdf, 500 * 1024), ("share", share_image, 250 * 1024)):
            through, size = await drawn_ms(worker, draw, poster, times)
            bare = percentile(bare_ms(draw, poster, times), 0.95)
            figures[f"{name}_ms_p95"] = Figure(percentile(through, 0.95), "ms", 2000, bare)
            figures[f"{name}_bytes"] = Figure(size, "bytes", bytes_goal)
    finally:
        await worker.close()
    figures["renditions_ms"] = Figure(rendered, "ms")
    return figures


def main() -> None:
    """Read the options, measure, show."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    figures = asyncio.run(measured(20 if chosen.quick else 200))
    show("poster", figures, as_json=chosen.json)


if __name__ == "__main__":
    main()
