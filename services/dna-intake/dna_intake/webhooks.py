"""Subscriptions of offices' systems: an address and a secret that is shown once and then sealed by the vault.

A secret is replaced without losing a message: for some hours deliveries are signed with both. Never more than two.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from dna_intake import store_webhooks
from dna_intake.models_gate import DeliveryRow, Subscribe, SubscriptionRow
from dna_intake.refusals import not_found
from dna_intake.settings import DnaSettings
from guitu import vault
from guitu.problem import Problem
from guitu.public_addresses import refusal_of
from guitu.tx import Tx

SECRET_BYTES = 32
SUBSCRIPTIONS_MAX = 20
"""Standing subscriptions of a region (our own choice: a handful of offices, and room for their tests)."""
TRIES_MORE = 3
"""Tries that a person's "again" gives."""
_REFUSED = {
    "bad_address": ("is not an address that can be called", "不是可调用的地址"),
    "not_https": ("is not https", "未使用https"),
    "private_address": ("is not on the public internet", "不是公网地址"),
}


async def subscribe(
    tx: Tx, wanted: Subscribe, master: bytes, settings: DnaSettings
) -> tuple[SubscriptionRow, str]:
    """Add a subscription; the secret is given back this once and is nowhere in the clear.

    Raises: Problem 409 if the region has too many, 422 for an address that is not called.
    """
    _check_address(wanted.url, settings)
    if await store_webhooks.lock_region(tx.conn, wanted.region_code) >= SUBSCRIPTIONS_MAX:
        raise Problem(
            409,
            "too_many_subscriptions",
            f"Region {wanted.region_code} has {SUBSCRIPTIONS_MAX} subscriptions.",
            f"本辖区已有{SUBSCRIPTIONS_MAX}个订阅。",
            "End one that is not used with POST /gate-subscriptions/{id}/end.",
        )
    secret, key, subscription_id = _new_secret(), vault.new_key(), tx.ids.new()
    row = SubscriptionRow(
        id=subscription_id,
        region_code=wanted.region_code,
        url=wanted.url,
        wrapped_key=vault.wrap(master, key, _place(subscription_id)),
        secrets_sealed=_sealed(key, subscription_id, [secret]),
        old_secret_until=None,
        created_at=tx.now,
    )
    await store_webhooks.add_subscription(tx.conn, row, tx.actor)
    tx.audit("dna.gate_subscribed", subject=row.id, region_code=row.region_code)
    return row, secret


def _check_address(url: str, settings: DnaSettings) -> None:
    code = refusal_of(url, private_ok=settings.gate_webhook_private_ok)
    if not code:
        return
    says_en, says_zh = _REFUSED[code]
    raise Problem(
        422,
        code,
        f"The address {says_en}; nothing was stored.",
        f"该地址{says_zh},未保存。",
        "Send a public https address without credentials in it.",
    )


async def rotate(
    tx: Tx, subscription_id: UUID, master: bytes, settings: DnaSettings
) -> tuple[SubscriptionRow, str]:
    """Replace the secret; the one before signs too for some hours, one before that no more.

    Raises: Problem 404, 409 if it has ended.
    """
    row = await _standing(tx, subscription_id)
    secret, key = _new_secret(), _key(master, row)
    newest = _opened(key, row)[:1]
    until = tx.now + timedelta(hours=settings.gate_secret_overlap_h)
    sealed = _sealed(key, row.id, [secret, *newest])
    await store_webhooks.reseal(tx.conn, row.id, sealed, until)
    tx.audit("dna.gate_secret_replaced", subject=row.id)
    return row.model_copy(update={"secrets_sealed": sealed, "old_secret_until": until}), secret


async def end(tx: Tx, subscription_id: UUID) -> SubscriptionRow:
    """End a subscription, and what waits for it; ended again, nothing changes. Raises: Problem 404."""
    row = await _locked(tx, subscription_id)
    if row.ended_at is None:
        await end_because(tx, row.id, "asked")
        row = row.model_copy(update={"ended_at": tx.now, "ended_because": "asked"})
    return row


async def end_because(tx: Tx, subscription_id: UUID, because: str) -> None:
    """End a subscription for a stated reason."""
    await store_webhooks.end_subscription(tx.conn, subscription_id, tx.now, because)
    tx.audit("dna.gate_subscription_ended", subject=subscription_id, because=because)


async def again(tx: Tx, delivery_id: UUID) -> DeliveryRow:
    """Let a delivery that failed be tried again, under its old id.

    Raises: Problem 404; 409 if it did not fail, its subscription ended, or a newer decision took its place.
    """
    row = await store_webhooks.lock_delivery(tx.conn, delivery_id)
    if row is None:
        raise not_found("delivery", "推送")
    await _standing(tx, row.subscription_id)
    if row.state != "failed" or not await store_webhooks.is_newest(tx.conn, row):
        raise Problem(
            409,
            "not_failed",
            f"This delivery is {row.state}; only a failed one without a newer decision is tried again.",
            "只有最新结论的失败推送可以重试。",
            "Look at GET /gate-requests/{id} for what is so now.",
        )
    await store_webhooks.try_again(tx.conn, row.id, tx.now, TRIES_MORE)
    tx.audit("dna.gate_delivery_again", subject=row.id)
    update = {"state": "queued", "ended_at": None, "due_at": tx.now, "tries_max": row.attempts + TRIES_MORE}
    return row.model_copy(update=update)


def secrets_of(row: SubscriptionRow, master: bytes, now: datetime) -> list[str]:
    """The secrets to sign with now, newest first. Raises: guitu.vault.Tampered."""
    opened = _opened(_key(master, row), row)
    both = row.old_secret_until is not None and now < row.old_secret_until
    return opened if both else opened[:1]


async def _locked(tx: Tx, subscription_id: UUID) -> SubscriptionRow:
    row = await store_webhooks.lock_subscription(tx.conn, subscription_id)
    if row is None:
        raise not_found("subscription", "订阅")
    return row


async def _standing(tx: Tx, subscription_id: UUID) -> SubscriptionRow:
    row = await _locked(tx, subscription_id)
    if row.ended_at is not None:
        raise Problem(
            409, "subscription_ended", "This subscription has ended.", "该订阅已终止。", "Subscribe anew."
        )
    return row


def _new_secret() -> str:
    return f"gts_{secrets.token_urlsafe(SECRET_BYTES)}"


def _key(master: bytes, row: SubscriptionRow) -> bytes:
    return vault.unwrap(master, row.wrapped_key, _place(row.id))


def _sealed(key: bytes, subscription_id: UUID, held: Sequence[str]) -> bytes:
    return vault.seal(key, json.dumps(held).encode(), _place(subscription_id))


def _opened(key: bytes, row: SubscriptionRow) -> list[str]:
    held: list[str] = json.loads(vault.open_sealed(key, row.secrets_sealed, _place(row.id)))
    return held


def _place(subscription_id: UUID) -> str:
    return f"gate_subscription|secrets|{subscription_id}"
