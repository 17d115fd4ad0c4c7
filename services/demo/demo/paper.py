"""A page as a person with a phone uses it: read it, find the button, press it. Works on any plain form."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


class NoSuchButton(Exception):
    """The page does not offer what the script wants to press; says what it offers."""


@dataclass
class Form:
    """One form of a page: where it goes and what it sends."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def means(self, word: str) -> tuple[str, str] | None:
        """Return the button (name, value) that means `word`, by address, hidden field or its own value."""
        for button in self.buttons:
            if word == button[1]:
                return button
        is_meant = self.action.rstrip("/").endswith(f"/{word}") or word in self.fields.values()
        return self.buttons[0] if is_meant and self.buttons else None


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.found.append(self._open)
        elif "disabled" in given:
            return  # A button that can't be pressed does not count as one.
        elif self._open is not None and (tag == "button" or given.get("type") == "submit"):
            self._open.buttons.append((given.get("name", ""), given.get("value", "")))
        elif self._open is not None and tag == "input" and given.get("name"):
            self._open.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


class Page:
    """What came from a link; `press` sends one of its forms."""

    def __init__(self, http: httpx.AsyncClient, answer: httpx.Response) -> None:
        self._http = http
        self.url = str(answer.url)
        self.text = answer.text
        parser = _Forms()
        parser.feed(answer.text)
        self.forms = parser.found

    @classmethod
    async def open(cls, http: httpx.AsyncClient, url: str) -> Page:
        """Follow a link. Raises: httpx.HTTPStatusError, if it does not lead to a page."""
        answer = await http.get(url, follow_redirects=True)
        answer.raise_for_status()
        return cls(http, answer)

    def offers(self, word: str) -> bool:
        """Tell whether the page has a button for `word`."""
        return any(form.means(word) for form in self.forms)

    async def press(self, word: str, **typed: str) -> Page:
        """Press the button that means `word`, with what was typed into its form; returns the page after it.

        Raises: NoSuchButton, if the page has none.
        """
        for form in self.forms:
            button = form.means(word)
            if button is not None:
                sent = form.fields | typed | ({button[0]: button[1]} if button[0] else {})
                answer = await self._http.post(
                    urljoin(self.url, form.action), data=sent, follow_redirects=True
                )
                answer.raise_for_status()
                return Page(self._http, answer)
        offered = [(form.action.rsplit("/", 1)[-1], form.buttons) for form in self.forms]
        raise NoSuchButton(f"The page has no button {word!r}; it offers {offered}.")
