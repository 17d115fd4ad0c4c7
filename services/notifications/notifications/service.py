"""The service as a value: routers, reactions, sweeps, and the provider's session that lives as long as it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter

from guitu.service import Runtime, Service, Sweep
from notifications import answers, sending
from notifications.agents import REACTIONS
from notifications.api import callbacks_router, staff_router
from notifications.outside import Outside, open_provider
from notifications.pages_api import pages_router
from notifications.sending import Sender
from notifications.settings import NotificationSettings
from notifications.templates_api import templates_router


def settings_of(runtime: Runtime) -> NotificationSettings:
    """This service's settings, also where the process was started with the ground's alone."""
    if isinstance(runtime.settings, NotificationSettings):
        return runtime.settings
    return NotificationSettings(**runtime.settings.model_dump())


@asynccontextmanager
async def sending_with(
    runtime: Runtime, provider: Outside, settings: NotificationSettings | None = None
) -> AsyncIterator[Sender]:
    """The sending part with a given provider; at the end its calls are waited for and recorded."""
    settings = settings or settings_of(runtime)
    sender = Sender(runtime, settings, provider)
    runtime.state.update(settings=settings, provider=provider, sender=sender)
    try:
        yield sender
    finally:
        await sender.drain()


@asynccontextmanager
async def start(runtime: Runtime) -> AsyncIterator[None]:
    """Open the provider's session before anything can be claimed."""
    settings = settings_of(runtime)
    async with open_provider(settings) as provider, sending_with(runtime, provider, settings):
        yield


def routers(runtime: Runtime) -> Sequence[APIRouter]:
    """Everything that this service answers over HTTP."""
    settings: NotificationSettings = runtime.state.get("settings") or settings_of(runtime)
    return (
        callbacks_router(runtime, settings),
        staff_router(runtime),
        pages_router(runtime, settings),
        templates_router(runtime, settings),
    )


SERVICE = Service(
    name="notifications",
    title="Guitu notifications 协查通知",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(
        # Woken by every commit that queues something; the interval is the fallback.
        Sweep("sms_send", 0.2, sending.send_due, woken=True),
        Sweep("sms_record", 0.05, sending.record_ended),
        Sweep("sms_close_leases", 1.0, sending.close_leases),
        Sweep("sms_look_up", 1.0, sending.look_up_unknown),
        Sweep("sms_look_up_without_end", 10.0, sending.look_up_without_end),
        Sweep("escalate_unanswered", 1.0, answers.escalate_unanswered),
    ),
    start=start,
)
