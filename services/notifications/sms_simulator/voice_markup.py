"""Reads Twilio's voice markup as far as a notice needs it: Say, Gather, Redirect, Hangup; lenient with the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

Said = tuple[str, str]


@dataclass(slots=True)
class Verb:
    """One thing to do; `said` are the words (language, text) of a Say, or of those inside a Gather."""

    name: str
    said: list[Said] = field(default_factory=list)
    url: str = ""


class _Reader(HTMLParser):
    """HTMLParser expands no entities of the document's own, so hostile markup costs what it weighs."""

    def __init__(self) -> None:
        super().__init__()
        self.verbs: list[Verb] = []
        self.proper = False
        self._gather: Verb | None = None
        self._language: str | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "response":
            self.proper = True
        elif tag == "say":
            self._language, self._words = given.get("language") or "en-US", ""
        elif tag == "gather":
            self._gather = Verb("gather", url=given.get("action") or "")
            self.verbs.append(self._gather)
        elif tag in ("hangup", "redirect"):
            self.verbs.append(Verb(tag))

    def handle_endtag(self, tag: str) -> None:
        if tag == "say" and self._language is not None:
            verb = self._gather
            if verb is None:
                verb = Verb("say")
                self.verbs.append(verb)
            verb.said.append((self._language, " ".join(self._words.split())))
            self._language = None
        elif tag == "gather":
            self._gather = None

    def handle_data(self, data: str) -> None:
        if self._language is not None:
            self._words += data
        elif self.verbs and self.verbs[-1].name == "redirect" and data.strip():
            self.verbs[-1].url = data.strip()


def read_markup(text: str) -> list[Verb] | None:
    """The verbs in order; None if it is no answer for a call (Twilio error 12100)."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.verbs if reader.proper else None
