"""`guitu demo` and `guitu seed`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from demo.cast import Cast
from demo.scripted import Script, Step, Timing
from demo.stack import seed_yunyang, start_seeded
from demo.stage import Refused, open_stage
from demo.waiting import NeverCame
from guitu import auth
from guitu.clock import Clock
from guitu.commands.up import DataDir, Ephemeral, PortBase
from guitu.embedded.progress import ConsoleProgress
from guitu.settings import Settings
from guitu.supervisor.members import PORT_BASE
from guitu.supervisor.system import System

ROLES_SHOWN: tuple[auth.Role, ...] = ("operator", "case_leader", "laboratory", "registry", "auditor")
STOP_POLL_S = 0.1
FAILED = 1


class Interrupted(Exception):
    """Somebody pressed Ctrl-C while the script ran."""


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Run the story to its end, print the timings, exit 0 or 1.")
    ] = False,
    ephemeral: Ephemeral = False,
    data_dir: DataDir = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """Start everything on the Yunyang data, run a scripted case, print addresses and logins; Ctrl-C ends it."""
    console = Console(highlight=False)
    system = System(
        data_dir, ephemeral=ephemeral, port_base=port_base, progress=ConsoleProgress(), show_logs=False
    )
    with system.supervisor.stopping_on_signals():
        try:
            settings = start_seeded(system)
            code = asyncio.run(_play(console, system, settings))
            if not check and not system.supervisor.is_asked_to_stop():
                show_logins(console, system, settings)
                code = system.wait() or code
            console.print("Stopping 停止")
        finally:
            system.stop()
    raise typer.Exit(code)


def seed() -> None:
    """Load the Yunyang data into the database that the settings name; a second time changes nothing."""
    for service, counts in asyncio.run(seed_yunyang(Settings())).items():
        typer.echo(f"{service}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


async def _play(console: Console, system: System, settings: Settings) -> int:
    """Play the script and print it as it goes; returns the exit code."""
    console.print("\nA child is missing in Yunyang 云阳一名儿童走失\n")
    try:
        async with open_stage(system.urls, settings) as stage:
            script = Script(Cast(stage))
            await _unless_stopped(_watch(console, script), system)
    except Interrupted:
        return FAILED
    except (NeverCame, Refused, AssertionError, KeyError, httpx.HTTPError) as error:
        console.print(
            f"\n[bold red]The story broke 故事中断[/]: {type(error).__name__}: {error}", markup=True
        )
        console.print(f"Logs 日志: {system.node.data_dir / 'logs'}")
        return FAILED
    console.print(timing_table(script.timings))
    return 0


async def _watch(console: Console, script: Script) -> None:
    async for step in script.play():
        console.print(line_of(step), soft_wrap=True)


async def _unless_stopped(playing: Coroutine[Any, Any, None], system: System) -> None:
    """Play, but no longer than until somebody asks to stop."""
    task = asyncio.create_task(playing)
    while not task.done():
        await asyncio.wait([task], timeout=STOP_POLL_S)
        if system.supervisor.is_asked_to_stop() and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise Interrupted
    task.result()


def line_of(step: Step) -> str:
    """One step as a person reads it."""
    return f"  {step.took_s:6.2f} s  {step.zh}\n            {step.en}"


def timing_table(timings: list[Timing]) -> Table:
    """The closing table; times are those that the services recorded."""
    table = Table(title="Timings 用时")
    table.add_column("from -> to")
    table.add_column("")
    table.add_column("ms", justify="right")
    for timing in timings:
        table.add_row(timing.en, timing.zh, f"{timing.seconds * 1000:,.0f}")
    return table


def show_logins(console: Console, system: System, settings: Settings) -> None:
    """Print where everything is, and a token for each role; they open this node only."""
    console.print(f"\nData and logs 数据与日志: {system.node.data_dir}")
    for name, url in system.urls.items():
        console.print(f"  {name:<14} {url}{'' if name == 'sms-simulator' else '/docs'}")
    console.print("\nLogins 登录 (Authorization: Bearer ..., 12 h)")
    now = Clock(settings.clock_file).now()
    for role in ROLES_SHOWN:
        token = auth.mint(settings, f"demo-{role}", role, settings.region_code, now, timedelta(hours=12))
        console.print(f"  {role:<12} {token}", soft_wrap=True)
    console.print("\nCtrl-C ends all of it. 按 Ctrl-C 结束。\n")
