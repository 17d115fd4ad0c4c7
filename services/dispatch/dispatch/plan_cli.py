"""`guitu plan FILE`: the planner alone, on an instance of your own; `check` verifies a result, `schema` says the
forms.

Ends with 0 when there is an answer (whatever its verdict) or a result was verified, 1 when a file can't be used, 3
when the plan is valid but the search ended in trouble, 4 when a result claims something wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from guitu.commands.shape import command_line
from guitu.embedded.trouble import NodeError

if TYPE_CHECKING:
    from dispatch.planning.answer import Prove
    from dispatch.planning.checker_model import Findings
    from dispatch.planning.model import Coverage, Solution, Stage
    from dispatch.planning.question import Question
    from dispatch.planning.result import Result

TROUBLED = 3
REFUTED = 4
_FILE = "file"


class _FileFirst(typer.core.TyperGroup):
    """`guitu plan FILE` without the name of a command: what is no command is taken for the file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        helps = ctx.help_option_names
        if args and args[0] not in self.commands and args[0] not in helps:
            args = [_FILE, *args]
        return super().parse_args(ctx, args)


cli = command_line(
    "Plan an interception on an instance of your own: `./guitu plan FILE`, with its bound and proof.",
    cls=_FileFirst,
    no_args_is_help=True,
    epilog="docs/planner.md explains the forms; examples are in docs/examples/plan.",
)


@cli.command(_FILE)
def plan_file(
    instance: Annotated[Path, typer.Argument(help="The instance, as JSON.")],
    deadline_s: Annotated[
        float | None, typer.Option("--deadline", min=0.05, max=600, help="Seconds for the search.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of all that is drawn.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the result there, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    language: Annotated[str, typer.Option("--lang", help="zh or en; by default that of the terminal.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on the error stream.")] = False,
) -> None:
    """Answer an instance: plan, verdict, bound and proof.

    \b
    Example: ./guitu plan docs/examples/plan/guaranteed.json --out result.json
    """
    from dispatch.planning.answer import answer
    from dispatch.planning.network_source import InstanceError
    from dispatch.planning.words import summary

    say = _silent if quiet else _progress
    try:
        say("reading", instance.name)
        question = _with_limits(instance, deadline_s, seed)
        result = answer(question, prove=_in_worker(), tell=lambda stage: say(stage.name, _of_stage(stage)))
    except InstanceError as error:
        raise NodeError(str(error)) from error
    if out is not None:
        _write(out, result)
    if as_json:
        typer.echo(result.model_dump_json())
    elif out is None or sys.stdout.isatty():
        typer.echo(summary(result, language if language in ("zh", "en") else _language()))
    if result.trouble:
        raise typer.Exit(TROUBLED)


@cli.command("check")
def check(
    instance: Annotated[Path, typer.Argument(help="The instance, as JSON.")],
    result: Annotated[Path, typer.Argument(help="What a planner answered, as JSON.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Verify a result by code that shares nothing with the planner; ends with 4 if it claims something wrong.

    \b
    Example: ./guitu plan check docs/examples/plan/guaranteed.json result.json
    """
    from dispatch.planning.check_files import check_files

    try:
        findings = check_files(instance, result)
    except OSError as error:
        raise NodeError(
            f"{error.filename or instance}: {error.strerror}. Mend: give the paths of both files."
        ) from error
    except (ValueError, KeyError, TypeError, StopIteration, IndexError, AttributeError) as error:
        raise NodeError(
            f"These files can't be checked: {type(error).__name__}: {error}. "
            "Mend: `guitu plan schema` prints the forms."
        ) from error
    if as_json:
        said = {"wrong": findings.wrong, "verified": findings.verified, "trusted": findings.trusted}
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        _say(findings)
    if findings.wrong:
        raise typer.Exit(REFUTED)


@cli.command("schema")
def print_schema(
    of: Annotated[str, typer.Argument(help="instance or result.")] = "instance",
) -> None:
    """Print the JSON Schema of instances or of results.

    \b
    Example: ./guitu plan schema result
    """
    from dispatch.planning.schemas import text_of

    if of not in ("instance", "result"):
        raise NodeError(f"There is no schema of {of!r}; there are: instance, result.")
    typer.echo(text_of("result" if of == "result" else "instance"), nl=False)


def _with_limits(path: Path, deadline_s: float | None, seed: int | None) -> Question:
    """The question; options win over the file, and count as part of the instance only in the result's seed."""
    from dispatch.planning.instance_files import read_instance

    question = read_instance(path)
    changed: dict[str, Any] = {}
    if deadline_s is not None:
        changed["deadline_s"] = deadline_s
    if seed is not None:
        changed["seed"] = seed
    limits = question.instance.limits.model_copy(update=changed)
    return replace(question, instance=question.instance.model_copy(update={"limits": limits}))


def _in_worker() -> Prove:
    """The search in a process of its own: one that dies or hangs leaves the plan that stood."""
    from dispatch.planning.solve import solve
    from guitu.worker import Worker, WorkerTrouble

    def prove(coverage: Coverage, deadline_s: float, hint: Solution, seed: int) -> Solution:
        async def once() -> Solution:
            worker = Worker(nice=0)
            try:
                return await worker.run(solve, coverage, deadline_s, hint, seed, deadline_s=deadline_s)
            except WorkerTrouble as trouble:
                return replace(hint, trouble=trouble.reason)
            finally:
                await worker.close()

        return asyncio.run(once())

    return prove


def _write(out: Path, result: Result) -> None:
    """The whole file or none: a reader never sees half a result."""
    half = out.with_name(f".{out.name}.part")
    try:
        half.write_text(result.model_dump_json() + "\n", encoding="utf-8")
        half.replace(out)
    except OSError as error:
        raise NodeError(
            f"{out} can't be written: {error.strerror}. Mend: give --out a folder that is there."
        ) from error


def _say(findings: Findings) -> None:
    for mark, sentences in (
        ("wrong", findings.wrong),
        ("verified", findings.verified),
        ("on trust", findings.trusted),
    ):
        for sentence in sentences:
            typer.echo(f"{mark:<9} {sentence}")
    wrong = len(findings.wrong)
    typer.echo(
        f"{wrong} of its claims are wrong. {wrong} 项不成立。" if wrong else "Nothing is wrong. 未发现错误。"
    )


def _of_stage(stage: Stage) -> str:
    return f"value {stage.objective:.4f}  bound {stage.bound:.4f}  after {stage.after_s:.2f} s"


def _progress(step: str, what: str) -> None:
    typer.echo(f"{step:<24} {what}", err=True)


def _silent(step: str, what: str) -> None:
    """Say nothing."""


def _language() -> str:
    words = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if words.lower().startswith("zh") else "en"
