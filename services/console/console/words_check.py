"""`python -m console.words check|extract`: every text in both languages, none twice, none idle, none in the open.

What is said: `_("...")` in templates, `_`, `marked`, `words`, `said` or `t` with a text in Python, and `t("...")`
in modules. A text of a catalogue counts as used, too, where it stands in Python as it is: in a table that a
template looks up.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.lexer import Lexer

from console.assets import said_in
from console.words import FOLDERS, LANGUAGES, LOCALE, Language

HERE = Path(__file__).parent
SAYERS = {"_", "marked", "words", "said", "t"}
_LETTERS = re.compile(r"[㐀-鿿豈-﫿]|[A-Za-z]{2,}")
_ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"?')
_SAME_EVERYWHERE = re.compile(r"\b(?:km|cm|[A-Z]{2}-\d+|\w+\.csv)\b")
"""Units, case numbers and names of files: as they are in any language."""
_BODY_CLASS = re.compile(r"\{% block body_class %\}.*?\{% endblock %\}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_SHOWN = {"title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription", "label"}
_SILENT = {"script", "style", "kbd", "code"}
_LEXER = Lexer(Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True))
Said = dict[str, str]


def problems() -> list[str]:
    """Everything that is wrong, a sentence each, with its mend; empty when all is well."""
    said, kept = all_said(), {language: catalogue(language) for language in LANGUAGES}
    found = [f"{place}: write {text!r} as _(...)." for place, text in bare_texts()]
    for language, (texts, twice) in kept.items():
        found += [f"{FOLDERS[language]}: {one!r} has two texts; keep one." for one in twice]
        found += [
            f"{FOLDERS[language]}: no text for {one!r} ({said[one]})." for one in said if not texts.get(one)
        ]
        found += [f"{FOLDERS[language]}: {one!r} has other {{names}} than its id." for one in _unlike(texts)]
    return found + [f"Nobody says {one!r}; delete it." for one in idle(said, kept["zh-CN"][0], kept["en"][0])]


def all_said() -> Said:
    """Every message id, with a file that says it."""
    said: Said = {}
    for file in _files("pages", ".html"):
        said |= dict.fromkeys(_said_in_template(file.read_text("utf-8")), file.name)
    for file in _files(".", ".py"):
        said |= dict.fromkeys(_said_in_python(file.read_text("utf-8")), file.name)
    for file in _files("static", ".mjs"):
        said |= dict.fromkeys(said_in(file.read_text("utf-8")), file.name)
    return said


def catalogue(language: Language) -> tuple[dict[str, str], list[str]]:
    """All parts of a language as one; and the ids that two parts translate differently."""
    texts: dict[str, str] = {}
    twice: list[str] = []
    for file in sorted((LOCALE / FOLDERS[language]).glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale=FOLDERS[language]):
                if message.id and isinstance(message.string, str):
                    known = texts.setdefault(str(message.id), message.string)
                    twice += [str(message.id)] if known != message.string else []
    return texts, twice


def idle(said: Said, *catalogues: dict[str, str]) -> list[str]:
    """Ids that no file says and no table of ours holds."""
    held = {text for file in _files(".", ".py") for text in _constants(file.read_text("utf-8"))}
    held |= {text for file in _files("pages", ".html") for text in _strings(file.read_text("utf-8"))}
    return sorted({one for texts in catalogues for one in texts} - set(said) - held)


def bare_texts() -> Iterator[tuple[str, str]]:
    """Words for people that stand in a template or module as they are, with their place."""
    for file in _files("pages", ".html"):
        reader = _Bare()
        reader.feed(_without_expressions(file.read_text("utf-8")))
        yield from ((file.name, text) for text in reader.found)
    for file in _files("static", ".mjs"):
        code = re.sub(r"//.*$|/\*.*?\*/", "", file.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        yield from ((file.name, text) for text in re.findall(r"[一-鿿]+", code))


class _Bare(HTMLParser):
    """Collects text between tags, and what attributes show, that has letters of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self.found += [value for name, value in attrs if name in _SHOWN and value and _has_words(value)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        # A macro that makes attributes is no text.
        text = _ATTRIBUTE.sub("", data)
        if not self._silent and _has_words(text):
            self.found.append(text.strip())


def _has_words(text: str) -> bool:
    return _LETTERS.search(_SAME_EVERYWHERE.sub("", text)) is not None


def _without_expressions(template: str) -> str:
    """The HTML of a template; what is computed is a blank."""
    tokens = _tokens(_BODY_CLASS.sub("", template))
    return "".join(value if kind == "data" else " " * (kind == "variable_end") for _, kind, value in tokens)


def _tokens(template: str) -> list[tuple[int, str, str]]:
    return list(_LEXER.tokeniter(template, None))


def _said_in_template(template: str) -> set[str]:
    """The ids of `_("...")`, also inside of expressions and calls of macros."""
    tokens = [(kind, value) for _, kind, value in _tokens(template) if kind != "whitespace"]
    called = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return {
        str(ast.literal_eval(text[1]))
        for name, bracket, text in called
        if name == ("name", "_") and bracket == ("operator", "(") and text[0] == "string"
    }


def _strings(template: str) -> set[str]:
    return {str(ast.literal_eval(value)) for _, kind, value in _tokens(template) if kind == "string"}


def _said_in_python(code: str) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and node.args]
    firsts = [call.args[0] for call in calls if _called(call.func) in SAYERS]
    said = {one.value for one in firsts if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return said - set(LANGUAGES)


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""


def _constants(code: str) -> set[str]:
    nodes = ast.walk(ast.parse(code))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _unlike(texts: dict[str, str]) -> list[str]:
    """Ids whose text has other placeholders: a number would be missing, or the page would break."""
    return [one for one, text in texts.items() if _names(one) != _names(text)]


def _names(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def _files(folder: str, suffix: str) -> list[Path]:
    return [f for f in sorted((HERE / folder).rglob(f"*{suffix}")) if "vendor" not in f.parts]


def missing_as_po(language: Language) -> str:
    """What is said and has no text yet, ready to be filled in."""
    texts, _ = catalogue(language)
    lines = [
        f"#: {place}\nmsgid {_quoted(one)}\nmsgstr {_quoted(one if language == 'en' else '')}\n"
        for one, place in sorted(all_said().items())
        if not texts.get(one)
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main(arguments: list[str]) -> int:
    """`check` prints what is wrong and ends with 1 if anything is; `extract` prints what has no text yet."""
    if arguments == ["extract"]:
        for language in LANGUAGES:
            print(f"# {FOLDERS[language]}\n{missing_as_po(language)}")
        return 0
    if arguments != ["check"]:
        print("Usage: python -m console.words check|extract")
        return 2
    found = problems()
    print("\n".join(found) if found else "Every text is there in both languages.")
    return 1 if found else 0
