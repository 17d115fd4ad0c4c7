"""The shape that all commands share: plain help that fits a narrow terminal, and no shell completion to install."""

from __future__ import annotations

from typing import Any

import typer


def command_line(summary: str | None = None, **more: Any) -> typer.Typer:
    """Make a typer app; boxes, markup and pretty stack traces are left out on purpose."""
    return typer.Typer(
        help=summary,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **more,
    )
