"""The link of an order page: signed, bound to one order, and good for a day by the injected clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from contracts.base import OrderId
from guitu.auth import PageTokenExpired, PageTokenForged, read_page, sign_page

_PURPOSE = "order"
# The library stamps with the machine's clock, which a drill's clock may leave behind; our own stamp is inside.
_ANY_AGE_S = 10 * 365 * 86_400


def page_path(key: SecretStr, order_id: OrderId, now: datetime) -> str:
    """The path of an order's page, signed now."""
    return "/o/" + sign_page(key, _PURPOSE, {"o": str(order_id), "t": int(now.timestamp())})


def order_of_page(key: SecretStr, token: str, now: datetime, max_age_s: float) -> OrderId:
    """The order that a page is for. Raises: PageTokenExpired, PageTokenForged."""
    payload = read_page(key, _PURPOSE, token, max_age_s=_ANY_AGE_S, now=now)
    try:
        order_id, signed_s = OrderId(UUID(str(payload["o"]))), float(payload["t"])
    except (KeyError, TypeError, ValueError):
        raise PageTokenForged from None
    if not now.timestamp() - signed_s <= max_age_s:
        raise PageTokenExpired
    return order_id
