"""`guitu up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from guitu.commands.shape import command_line
from guitu.embedded.progress import ConsoleProgress
from guitu.supervisor.members import PORT_BASE, SIMULATOR
from guitu.supervisor.system import System

cli = command_line()

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where broker, database, keys and logs live; GUITU_DATA_DIR or .guitu by default."),
]
PortBase = Annotated[
    int,
    typer.Option(min=1024, max=65_000, help="Services listen on this plus 1 to 4, the simulator on plus 9."),
]
Ephemeral = Annotated[
    bool, typer.Option("--ephemeral", help="Use a temporary directory, removed at the end.")
]


@cli.command()
def up(
    data_dir: DataDir = None,
    ephemeral: Ephemeral = False,
    port_base: PortBase = PORT_BASE,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Services' lines go to their log files only.")
    ] = False,
) -> None:
    """Start broker, database, schema, topics, simulator and services; stop all of them on Ctrl-C.

    Servers of your own are used instead where GUITU_KAFKA, GUITU_DATABASE_URL or GUITU_TWILIO_URL are set;
    ./guitu settings lists every setting.

    \b
    Examples:
      ./guitu up --quiet
      GUITU_KAFKA=kafka.example:9092 ./guitu up
    """
    system = System(
        data_dir, ephemeral=ephemeral, port_base=port_base, progress=ConsoleProgress(), show_logs=not quiet
    )
    with system.supervisor.stopping_on_signals():
        try:
            system.start()
            show(system)
            code = system.wait()
        finally:
            system.stop()
    raise typer.Exit(code)


def show(system: System) -> None:
    """Print where everything is, without secrets."""
    typer.echo(f"\nGuitu is up 已就绪. Data and logs 数据与日志: {system.node.data_dir}")
    for name, url in system.urls.items():
        typer.echo(f"  {name:<14} {url}{'/' if name == SIMULATOR.name else '/docs'}")
    if system.node.kafka is not None:
        typer.echo(f"  {'kafka':<14} {system.node.kafka.bootstrap}")
    if system.node.postgres is not None:
        typer.echo(f"  {'postgres':<14} 127.0.0.1:{system.node.postgres.port}")
    typer.echo("In another terminal 另开终端:")
    typer.echo("  ./guitu seed         loads the Yunyang data 载入云阳数据")
    typer.echo("  ./guitu token ROLE   makes a login 生成登录令牌")
    typer.echo("Ctrl-C ends all of it. 按 Ctrl-C 结束。\n")
