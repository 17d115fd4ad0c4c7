"""`guitu demo` and `guitu seed`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from demo.cast import Cast
from demo.paper import NoSuchButton
from demo.scripted import Script, stand_down_earlier
from demo.showing import Shown, show_place, show_step, show_timings
from demo.stack import seed_yunyang, start_seeded
from demo.stage import Refused, Stage, open_stage
from demo.trial import open_trial
from demo.waiting import NeverCame
from dispatch.network_files import NetworkFileError
from guitu.commands.attach import DATABASE, node_settings
from guitu.commands.shape import command_line
from guitu.commands.up import DataDir, Ephemeral, PortBase
from guitu.embedded.progress import ConsoleProgress
from guitu.embedded.trouble import Interrupted, NodeError
from guitu.settings import Settings
from guitu.supervisor.members import PORT_BASE
from guitu.supervisor.process import answers_ok
from guitu.supervisor.system import System
from notifications.directory import DirectoryRefused

demo = command_line()
seed = command_line()
STOP_POLL_S = 0.1
PATIENCE_S = 10.0
FAILED = 1
BROKEN = (NeverCame, Refused, NoSuchButton, AssertionError, KeyError, httpx.HTTPError)
"""How a story breaks: something never came, was refused, is missing on a page, or nobody answered."""

Folder = Annotated[Path | None, typer.Option(exists=True, file_okay=False)]


@demo.command()
def play_demo(
    check: Annotated[
        bool, typer.Option("--check", help="Run the story to its end without a person, then exit 0 or 1.")
    ] = False,
    ephemeral: Ephemeral = False,
    data_dir: DataDir = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """Start everything on the Yunyang data and run a scripted case, from the report to everyone's stand-down.

    Then print the timings, every address and a login a role, and keep running until Ctrl-C. The first start
    fetches Apache Kafka (45 MB). Servers of your own are used where GUITU_KAFKA, GUITU_DATABASE_URL or
    GUITU_TWILIO_URL (of a ./guitu sms-simulator) are set.

    \b
    Examples:
      ./guitu demo
      ./guitu demo --check --ephemeral
    """
    system = System(
        data_dir, ephemeral=ephemeral, port_base=port_base, progress=ConsoleProgress(), show_logs=False
    )
    with system.supervisor.stopping_on_signals():
        try:
            code = _run(system, start_seeded(system), check)
        finally:
            system.stop()
    raise typer.Exit(code)


def _run(system: System, settings: Settings, check: bool) -> int:
    code = asyncio.run(_unless_stopped(_play(system, settings, check), system))
    if not check and code == 0:
        typer.echo("\nCtrl-C ends all of it. 按 Ctrl-C 结束。")
        code = system.wait()
    return code


@seed.command()
def seed_data(
    network: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder with network.json and its CSV files."),
    ] = None,
    sites: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder with sites.csv, contacts.csv.")
    ] = None,
) -> None:
    """Load the Yunyang data, or files of your own, into the running node; a second time changes nothing.

    \b
    Examples:
      ./guitu seed
      ./guitu seed --network my-county/roads --sites my-county/sites
    """
    try:
        counts = asyncio.run(seed_yunyang(node_settings(DATABASE), network, sites))
    except (NetworkFileError, DirectoryRefused) as error:
        raise NodeError(f"Nothing was loaded. {error}") from error
    for service, rows in counts.items():
        typer.echo(f"{service}: " + ", ".join(f"{count} {name}" for name, count in rows.items()))


async def _play(system: System, settings: Settings, check: bool) -> int:
    """Play the script and print it as it goes; returns the exit code."""
    began_s = time.monotonic()
    try:
        async with open_stage(system.urls, settings, PATIENCE_S) as stage:
            await _earlier(stage)
            typer.echo("\nA child is missing in Yunyang 云阳一名儿童走失\n")
            script = Script(Cast(stage))
            async for step in script.play():
                show_step(step)
            show_timings(script.timings)
            typer.echo(f"The story ran to its end in {time.monotonic() - began_s:.1f} s. 全程完成。")
            if not check:
                shown = Shown(system.urls, system.node.data_dir, await open_trial(stage))
                show_place(shown)
    except BROKEN as error:
        typer.echo(f"\nThe story broke 故事中断: {_said(error)}", err=True)
        for name, url in system.urls.items():
            if not answers_ok(f"{url}/health/ready"):
                typer.echo(f"{name} is not ready 未就绪: {url}/health/ready", err=True)
        typer.echo(f"Logs 日志: {system.node.data_dir / 'logs'}", err=True)
        return FAILED
    return 0


async def _earlier(stage: Stage) -> None:
    """Units that an interrupted demo left at their checkpoints would be missing in this one."""
    count = await stand_down_earlier(Cast(stage))
    if count:
        typer.echo(f"Stood down {count} open case(s) of an earlier demo. 上次演示的警情已解除。")


def _said(error: Exception) -> str:
    """An error of ours says what happened; others need their name, and whom we asked."""
    if isinstance(error, httpx.RequestError):
        return f"{type(error).__name__} of {error.request.method} {error.request.url}"
    is_ours = isinstance(error, NeverCame | Refused | NoSuchButton | AssertionError)
    words = str(error).partition("\n")[0]
    return words if is_ours and words else f"{type(error).__name__}: {words}"


async def _unless_stopped(playing: Coroutine[Any, Any, int], system: System) -> int:
    """Play, but no longer than until somebody asks to stop. Raises: Interrupted."""
    task = asyncio.create_task(playing)
    while not task.done():
        await asyncio.wait([task], timeout=STOP_POLL_S)
        if system.supervisor.is_asked_to_stop() and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Interrupted("Interrupted; everything is stopped. 已中断,全部停止。")
    return task.result()
