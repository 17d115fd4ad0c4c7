"""Nonsense over HTTP gets a clear refusal, never a server error, and moves nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from guitu.auth import sign_page
from harness.dispatch_http import Desk, over_http
from harness.dispatch_stories import an_id, dispatch_in_yunyang, raised

NONSENSE = ["\x00", "é", "🚓", "'", "../..", "null", "[]", "1e400", "-1", str(2**70), " ", "x" * 5000]
SIGNED_BUT_WRONG: list[Any] = [
    {},
    [],
    None,
    "words",
    {"o": 1, "t": 1},
    {"o": "no id", "t": 1},
    {"o": str(an_id("nobody's")), "t": "noon"},
    {"o": str(an_id("nobody's")), "t": float("nan")},
    {"o": str(an_id("nobody's")), "t": 9e12},
]


async def test_nonsense_is_refused_with_a_reason(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    order_id = (await dispatch.orders())[0].order_id

    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")
        for words in NONSENSE:
            path = quote(words, safe="")
            answers = [
                await desk.reads(f"/{name}?case_id={path}&limit={path}") for name in ("orders", "plans")
            ]
            answers += [await desk.sends(f"/orders/{path}/moves", {"move": "accepted"})]
            answers += [await desk.sends(f"/orders/{order_id}/moves", {"move": words})]
            answers += [await http.get(f"/o/{path}"), await http.post(f"/o/{path}/{path}")]
            assert all(400 <= answer.status_code < 500 for answer in answers), words[:20]

    assert {"issued"} == set(await dispatch.states())


@pytest.mark.parametrize("payload", SIGNED_BUT_WRONG, ids=repr)
async def test_a_link_that_is_signed_but_names_no_order_opens_nothing(runtime_for: Any, payload: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    token = sign_page(dispatch.run.settings.signing_key, "order", payload)

    async with over_http(dispatch) as http:
        page = await http.get(f"/o/{token}")

    assert page.status_code in (404, 410)
