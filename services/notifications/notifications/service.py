"""The service as a value: routers, reactions, sweeps, and the provider's session that lives as long as it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter

from guitu.service import Runtime, Service, Sweep
from notifications import (
    alarms,
    auditor,
    escalating,
    looking_up,
    nil_reports,
    paging,
    planning,
    sending,
    tasks,
)
from notifications.acting_api import acting_router
from notifications.agents import REACTIONS
from notifications.alarms_api import alarms_router
from notifications.api import callbacks_router, staff_router
from notifications.auditor_api import auditor_router
from notifications.directory_api import directory_router
from notifications.drills_api import drills_router
from notifications.outside import Outside
from notifications.pages_api import pages_router
from notifications.photos import open_photos
from notifications.pushes_api import pushes_router
from notifications.reach_api import reach_router
from notifications.senders import Senders, one_sender, open_senders
from notifications.sending import Sender
from notifications.settings import NotificationSettings
from notifications.tasks_api import tasks_router
from notifications.templates_api import templates_router
from notifications.voice_api import voice_router


def settings_of(runtime: Runtime) -> NotificationSettings:
    """This service's settings, also where the process was started with the ground's alone."""
    if isinstance(runtime.settings, NotificationSettings):
        return runtime.settings
    return NotificationSettings(**runtime.settings.model_dump())


@asynccontextmanager
async def sending_with(
    runtime: Runtime, provider: Outside | Senders, settings: NotificationSettings | None = None
) -> AsyncIterator[Sender]:
    """The sending part with given senders, or one; at the end its calls are waited for and recorded."""
    settings = settings or settings_of(runtime)
    senders = provider if isinstance(provider, Senders) else one_sender(provider, settings)
    sender = Sender(runtime, settings, senders)
    runtime.state.update(settings=settings, senders=senders, sender=sender)
    try:
        yield sender
    finally:
        await sender.drain()


@asynccontextmanager
async def start(runtime: Runtime) -> AsyncIterator[None]:
    """Open the providers' sessions before anything can be claimed."""
    settings = settings_of(runtime)
    async with (
        open_photos(runtime, settings),
        open_senders(settings) as senders,
        sending_with(runtime, senders, settings),
    ):
        yield


def routers(runtime: Runtime) -> Sequence[APIRouter]:
    """Everything that this service answers over HTTP."""
    settings: NotificationSettings = runtime.state.get("settings") or settings_of(runtime)
    return (
        callbacks_router(runtime, settings),
        pushes_router(runtime, settings),
        voice_router(runtime, settings),
        staff_router(runtime),
        acting_router(runtime),
        reach_router(runtime, settings),
        directory_router(runtime),
        drills_router(runtime),
        pages_router(runtime, settings),
        tasks_router(runtime),
        alarms_router(runtime),
        auditor_router(runtime),
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
        Sweep("sms_close_leases", 1.0, looking_up.close_leases),
        Sweep("sms_look_up", 1.0, looking_up.look_up_unknown),
        Sweep("sms_give_up_unknown", 5.0, looking_up.give_up_unknown),
        Sweep("sms_look_up_without_end", 10.0, looking_up.look_up_without_end),
        Sweep("sms_deadlines", 5.0, planning.set_deadlines),
        Sweep("sms_expire", 5.0, planning.expire),
        Sweep("escalate_unanswered", 1.0, escalating.escalate_unanswered),
        Sweep("call_about_failed_stops", 5.0, tasks.call_about_failed_stops),
        Sweep("watch", 10.0, alarms.watch),
        Sweep("audit_notices", 30.0, auditor.audit),
        Sweep("page_operator", 5.0, paging.pages_operator),
        Sweep("ask_stale", 10.0, nil_reports.ask_stale),
    ),
    start=start,
)
