"""What a person at the terminal reads, in both languages; long addresses and tokens are never broken, to be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import typer
from rich.console import Console
from rich.table import Table

from demo.scripted import Step, Timing
from demo.trial import Trial

WIDTH = 79
INDENT = " " * 12


@dataclass(frozen=True)
class Shown:
    """Where everything is."""

    urls: Mapping[str, str]
    data_dir: Path
    trial: Trial


def show_step(step: Step) -> None:
    """One step: how long it took to see it, and what happened."""
    typer.echo(f"  {step.took_s:6.2f} s  {step.zh}")
    typer.echo(fill(step.en, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))


def show_timings(timings: Sequence[Timing]) -> None:
    """The closing table; times are those that the services recorded."""
    table = Table()
    table.add_column("from -> to")
    table.add_column("从……到……")
    table.add_column("ms", justify="right")
    for timing in timings:
        table.add_row(timing.en, timing.zh, f"{timing.seconds * 1000:,.0f}")
    typer.echo("\nTimings 用时")
    Console(highlight=False).print(table)


def _show_console(trial: Trial, url: str) -> None:
    typer.echo(f"\nThe staff console 指挥台 {url}/")
    typer.echo("  each link logs in once, within 15 min; more: ./guitu console login-link ROLE")
    typer.echo("  每个链接限用一次,15 分钟内有效;更多链接用上述命令")
    for login in trial.logins:
        typer.echo(f"  {login.role} {login.who}\n    {login.console_link}")


def show_place(shown: Shown) -> None:
    """Where everything is, and how to go on oneself."""
    trial, alerts = shown.trial, shown.urls["alerts"]
    typer.echo(f"\nYour turn 请您试用: case 案件 {trial.case.code} is open 处置中")
    typer.echo(f"  a unit's order page 警力的指令页 (press its buttons 可按按钮)\n    {trial.order_page}")
    typer.echo(f"  a site's notice page 站点的协查页\n    {trial.notice_page}")
    if "sms-simulator" in shown.urls:
        typer.echo(f"  every phone's SMS 全部手机短信\n    {shown.urls['sms-simulator']}/")
    typer.echo("\nServices 服务 (try any request there, with a login under Authorize)")
    for name, url in shown.urls.items():
        typer.echo(f"  {name:<14} {url}{'/' if name in ('sms-simulator', 'console') else '/docs'}")
    _show_console(trial, shown.urls["console"])
    typer.echo("\nLogins of the APIs 接口令牌 (12 h; units and sites have the links of their SMS)")
    typer.echo("            有效 12 小时;警力和站点用短信中的链接")
    for login in trial.logins:
        typer.echo(f"  {login.role} {login.who}\n    {login.token}\n    opens 可打开 {login.opens}")
    typer.echo(
        '\nFor example 例如:\n  curl -H "Authorization: Bearer $(./guitu token operator)" '
        + f"{alerts}/cases"
    )
    typer.echo(f"\nData and logs 数据与日志: {shown.data_dir}")
