"""Files of the owners handed on to the person's browser: PDFs and tables, kept by nobody on the way."""

from __future__ import annotations

import httpx
from fastapi import Response

from console.rendering import HEADERS


def pdf_of(answer: httpx.Response, name: str) -> Response:
    """A page to print, shown in the browser."""
    shown = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(answer.content, media_type="application/pdf", headers=HEADERS | shown)


def table_of(answer: httpx.Response, name: str) -> Response:
    """A table to keep and open with a spreadsheet."""
    kept = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(answer.content, media_type="text/csv; charset=utf-8", headers=HEADERS | kept)
