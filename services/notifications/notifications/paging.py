"""Pages the operator by SMS when the auditor keeps finding somebody forgotten: at most one in ten minutes.

A page is sent at most once: its row is marked before the call and never taken again. That is right here, and
wrong for notices: what keeps being wrong asks for a new page after ten minutes, so time repeats it; and a page
that is tried until it is certain could fill the operator's phone in the very hour in which all goes wrong.
"""

from __future__ import annotations

import asyncio

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import metrics, store_auditing
from notifications.domain.delivery import Outcome
from notifications.providers.protocol import Outgoing
from notifications.senders import Line, Senders
from notifications.settings import NotificationSettings

ACTOR = "guitu.auditor"
AUDIT_FAILS = "audit_fails"


async def ask(tx: Tx, settings: NotificationSettings, reason: str) -> bool:
    """Ask for a page (`reason`: how many are forgotten, or AUDIT_FAILS); False if off or one was asked for lately."""
    if not settings.operator_phone:
        return False
    page_id = tx.ids.new()
    asked = await store_auditing.ask_page(tx.conn, page_id, reason, tx.now)
    if asked:
        tx.audit("operator.paged", subject=page_id, reason=reason)
    return asked


async def pages_operator(runtime: Runtime) -> int:
    """Sweep: send the page that waits; returns how many were taken."""
    settings: NotificationSettings = runtime.state["settings"]
    if not settings.operator_phone:
        return 0
    async with runtime.tx(actor=ACTOR) as tx:
        page = await store_auditing.take_page(tx.conn, tx.now)
    if page is None:
        return 0
    outcome = await _send(runtime, settings, page_text(page["reason"], settings))
    # Unknown counts as failed: it is not looked up, the next one comes by time.
    state = "sent" if outcome.kind == "accepted" else "failed"
    metrics.PAGES.labels(state).inc()
    async with runtime.tx(actor=ACTOR) as tx:
        await store_auditing.page_ended(tx.conn, page["id"], state, tx.now, outcome.code)
    return 1


async def _send(runtime: Runtime, settings: NotificationSettings, text: str) -> Outcome:
    line = _line(runtime)
    if line is None:
        return Outcome("rejected", code="no_sender")
    # No attempt stands behind it: a status finds nobody, and without #rc in the address it is not repeated.
    page = Outgoing(settings.operator_phone, text, f"{runtime.public_url}/twilio/status/page")
    try:
        async with asyncio.timeout(settings.sms_timeout_s):
            return await line.outside.send(page)
    except Exception as error:
        runtime.log.error("operator.page_failed", error=type(error).__name__)
        return Outcome("unknown", code=type(error).__name__)


def _line(runtime: Runtime) -> Line | None:
    """The first sender of SMS that works now, else the first at all."""
    senders: Senders = runtime.state["senders"]
    lines = [line for line in senders if line.spec.channel == "sms"]
    now = runtime.clock.now()
    return next((line for line in lines if line.health.places(now, 1)), lines[0] if lines else None)


def page_text(reason: str, settings: NotificationSettings) -> str:
    """One segment (70 characters), in both languages."""
    if reason == AUDIT_FAILS:
        return (
            f"【{settings.sms_signature_zh}】归途:通知审计无法完成,请检查系统。Guitu: audit of notices fails."
        )
    return f"【{settings.sms_signature_zh}】归途:{reason}个接收人无人跟进,请看告警。Guitu: {reason} recipients left."
