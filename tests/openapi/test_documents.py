"""The committed documents are those of the routes, and say of every operation how it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from guitu import openapi
from guitu.problem import MEDIA_TYPE


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    return openapi.documents()


def test_the_committed_documents_are_current() -> None:
    """Mend: python -m guitu.openapi."""
    assert [] == openapi.stale_files(openapi.generated_files())


def test_every_operation_with_a_token_says_401_and_403_as_problem_documents(
    documents: dict[str, Any],
) -> None:
    guarded = [
        operation
        for document in documents.values()
        for ways in document["paths"].values()
        for operation in ways.values()
        if "security" in operation
    ]

    assert len(guarded) >= 25
    assert all(MEDIA_TYPE in each["responses"][s]["content"] for each in guarded for s in ("401", "403"))


def test_no_document_of_a_service_promises_what_only_the_framework_would_say(
    documents: dict[str, Any],
) -> None:
    for name, document in documents.items():
        if name != "sms-simulator":
            assert "HTTPValidationError" not in str(document)


def test_a_stale_document_is_named_with_the_mend(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(openapi, "DOCS", tmp_path / "openapi")

    before = openapi.main(["--check"])
    written = openapi.main([])
    after = openapi.main(["--check"])

    assert (1, 0, 0) == (before, written, after)
    assert "alerts.json is stale. Mend: python -m guitu.openapi" in capsys.readouterr().out
