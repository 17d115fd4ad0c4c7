"""Key figures: how fast report, order, position and acknowledgement followed; each number leads to its cases."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from console.cases.words import OUTCOMES
from console.door.sessions import Visitor, visitor
from console.figures import plots, store_figures
from console.figures.values import BY_NAME, MEASURES, NO_TOWNSHIP, TOO_FEW, Line, duration, lines
from console.live.snapshots import snapshot
from console.places.source import YUNYANG, own_places
from console.rendering import BEIJING, HEADERS, page
from console.words import Words, words
from guitu.problem import Problem
from guitu.service import Runtime

SHOWN_DAYS = 365
BEHIND_MAX = 500
Watcher = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Day = Annotated[date | None, Query()]


@dataclass(frozen=True)
class Asked:
    """Which cases are counted: reported from the first to the last day in Beijing, exercises or real ones."""

    first: date
    last: date
    exercise: bool

    @property
    def period(self) -> store_figures.Period:
        """As the store wants it: the end is the midnight after the last day."""
        begin = datetime.combine(self.first, time(), BEIJING)
        end = datetime.combine(self.last + timedelta(days=1), time(), BEIJING)
        return self.exercise, begin, end

    def query(self, **more: str) -> str:
        """The same cases on another page."""
        days = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return urlencode(days | ({"exercise": "yes"} if self.exercise else {}) | more)


def asked(request: Request, first: Day = None, last: Day = None, exercise: str = "") -> Asked:
    """The period of the query; a year until today if it names none. Raises: Problem 422."""
    today = request.app.state.runtime.clock.now().astimezone(BEIJING).date()
    until = last or today
    since = first or until - timedelta(days=SHOWN_DAYS)
    if since > until:
        raise _backwards(since, until)
    return Asked(since, until, bool(exercise))


Wanted = Annotated[Asked, Depends(asked)]


def figures_router(runtime: Runtime) -> APIRouter:
    """GET /figures, /figures.csv and /figures/cases."""
    router = APIRouter(include_in_schema=False)

    @router.get("/figures")
    async def figures(request: Request, who: Watcher, wanted: Wanted) -> Response:
        """The figures of a period, by township and month."""
        found = await _read(runtime, who, wanted)
        async with runtime.read(region=who.principal.region_code) as conn:
            ages = await store_figures.open_by_age(conn, wanted.exercise, runtime.clock.now())
        return page(
            request, "figures/page.html", who, **_shown(found, wanted, words(who.language)), ages=ages
        )

    @router.get("/figures.csv")
    async def table(who: Watcher, wanted: Wanted) -> Response:
        """The same as a table for a spreadsheet; seconds, empty where there are too few to say."""
        found = await _read(runtime, who, wanted)
        name = f"figures-{wanted.first}-{wanted.last}{'-exercise' if wanted.exercise else ''}.csv"
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        # A spreadsheet takes UTF-8 for Chinese only with this mark.
        return Response("\ufeff" + as_csv(found), media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/figures/cases")
    async def behind(
        request: Request, who: Watcher, wanted: Wanted, measure: str = "", township: str = "", month: str = ""
    ) -> Response:
        """The cases that a number comes from."""
        if measure and measure not in BY_NAME:
            raise _no_measure(measure)
        async with snapshot(runtime, who.principal.region_code) as conn:
            rows = await store_figures.behind(conn, wanted.period, measure, township, month, BEHIND_MAX)
        said = words(who.language)
        shown: dict[str, Any] = {
            "rows": rows,
            "measure": BY_NAME.get(measure),
            "township": name_of(township, said) if township else "",
            "month": month,
            "asked": wanted,
            "took": partial(duration, words=said),
            "outcomes": OUTCOMES,
            "names": townships(said) | {NO_TOWNSHIP: "–"},
        }
        return page(request, "figures/cases.html", who, exercise=wanted.exercise, **shown)

    return router


async def _read(runtime: Runtime, who: Visitor, wanted: Asked) -> list[Line]:
    async with snapshot(runtime, who.principal.region_code) as conn:
        cases = await store_figures.cases(conn, wanted.period)
        shares = await store_figures.shares(conn, wanted.period)
        times = await store_figures.times(conn, wanted.period)
    return lines(cases, shares, times)


def _shown(found: Sequence[Line], wanted: Asked, said: Words) -> dict[str, Any]:
    """What the page's template needs."""
    whole = next((line for line in found if line.group == "all"), None)
    towns = [line for line in found if line.group == "township"]
    months = [line for line in found if line.group == "month"]
    titles = [said(measure.title) for measure in MEASURES]
    plot = plots.chain(titles, [whole.time(m.name) for m in MEASURES]) if whole and whole.cases else None
    names = [name_of(line.key, said) for line in towns]
    return {
        "exercise": wanted.exercise,
        "asked": wanted,
        "whole": whole if whole and whole.cases else None,
        "towns": list(zip(names, towns, strict=True)),
        "months": [(line.key, line) for line in months],
        "measures": MEASURES,
        "plot": plot,
        "by_town": plots.of_group(towns, "in_position", names),
        "by_month": plots.of_group(months, "in_position", [line.key for line in months]),
        "took": partial(duration, words=said),
        "too_few": TOO_FEW,
    }


def townships(said: Words) -> dict[str, str]:
    """Names of the county's townships by their codes."""
    own = (place for place in own_places(YUNYANG) if place.kind == "township")
    return {place.township_code: place.name(said.language) for place in own}


def name_of(township: str, said: Words) -> str:
    """A township's name; its code if it is not of this county, and words for a place without one."""
    return (
        said("Place without a township")
        if township == NO_TOWNSHIP
        else townships(said).get(township, township)
    )


def as_csv(found: Sequence[Line]) -> str:
    """One row a group and measure."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["group", "key", "figure", "n", "p50_s", "p95_s", "percent"])
    for line in found:
        where = [line.group, line.key]
        table.writerow([*where, "cases", line.cases, "", "", ""])
        for name in ("found", "false_alarms", "delivered", "acknowledged"):
            share = getattr(line, name)
            percent = "" if share.percent is None else share.percent
            table.writerow([*where, f"{name}_share", share.whole, "", "", percent])
        for measure in MEASURES:
            took = line.time(measure.name)
            p50, p95 = ("" if seconds is None else f"{seconds:.1f}" for seconds in (took.p50, took.p95))
            table.writerow([*where, measure.name, took.n, p50, p95, ""])
    return text.getvalue()


def _backwards(first: date, last: date) -> Problem:
    return Problem(
        422,
        "period_backwards",
        f"The period begins on {first} and ends on {last}, before that.",
        f"起始日期{first}晚于截止日期{last}。",
        "Choose a first day that is not after the last.",
    )


def _no_measure(measure: str) -> Problem:
    return Problem(
        404,
        "no_such_figure",
        f"There is no figure {measure[:40]!r}; there are {', '.join(BY_NAME)}.",
        "没有这项指标。",
        "Open it from the page of key figures.",
    )
