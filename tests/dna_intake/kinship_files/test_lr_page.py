"""Every command that docs/lr_files.md shows can be run as it stands there, and the fields it names exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dna_intake.kinship_files.case import LrCase, ModelChoice
from dna_intake.likelihood_models import AskLikelihoodRatio
from guitu.cli import main

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "lr_files.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("#")[0].strip() for line in re.findall(r"^ {4}\./guitu (.+)$", PAGE, flags=re.MULTILINE)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page_runs(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)

    with pytest.raises(SystemExit) as left:
        main(shlex.split(command))

    assert left.value.code in (0, None)
    assert capsys.readouterr().out.strip()


def test_the_page_shows_commands() -> None:
    assert len(COMMANDS) == 7


def test_every_field_of_a_case_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", PAGE))

    assert {*LrCase.model_fields, *ModelChoice.model_fields} - {"note"} <= named


def test_the_request_of_the_page_is_one() -> None:
    [body] = re.findall(r'^ {4}(\{"purpose".+?\}\})$', PAGE, flags=re.MULTILINE | re.DOTALL)
    whole = re.sub(r'"([0-9a-f]{4})\.\.\."', r'"\g<1>0000-0000-4000-8000-000000000000"', body)

    asked = AskLikelihoodRatio.model_validate_json(whole)

    assert len(asked.specimens) == 2
