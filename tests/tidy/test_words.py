"""Every text that people read is in both languages, with the same names in it, and none goes around the catalogues."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import words_check

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def test_every_text_is_there_in_both_languages() -> None:
    """Mend: `python -m console.words extract` prints what to fill in."""
    assert [] == words_check.problems()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console of one page that says one thing."""
    for folder in ("pages", "static", "locale/zh_CN", "locale/en"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pages/one.html").write_text(
        '<p title="{{ _("Sent {n}", n=2) }}">{{ ui.empty(_("Nothing")) }}</p>'
    )
    for folder, sent, nothing in (("zh_CN", "已发{n}", "无"), ("en", "Sent {n}", "Nothing")):
        text = f'{PO}msgid "Sent {{n}}"\nmsgstr "{sent}"\n\nmsgid "Nothing"\nmsgstr "{nothing}"\n'
        (tmp_path / f"locale/{folder}/one.po").write_text(text)
    monkeypatch.setattr(words_check, "HERE", tmp_path)
    monkeypatch.setattr(words_check, "LOCALE", tmp_path / "locale")
    return tmp_path


def test_a_page_with_all_its_texts_is_well(small: Path) -> None:
    assert [] == words_check.problems()


@pytest.mark.parametrize(
    ("file", "more", "said"),
    [
        ("pages/two.html", '<p>{{ _("New") }}</p>', "no text for 'New'"),
        ("pages/two.html", "<p>{{ _('New') }}</p>", "no text for 'New'"),
        ("static/two.mjs", 'say(t("New"));', "no text for 'New'"),
        ("two.py", 'NAMES = {"a": marked("New")}', "no text for 'New'"),
        ("pages/two.html", "<p>Some words</p>", "write 'Some words'"),
        ("pages/two.html", '<p aria-label="Some words">1</p>', "write 'Some words'"),
        ("pages/two.html", "<p>{{ 1 }}签收</p>", "write '签收'"),
        ("static/two.mjs", 'say("签收");', "write '签收'"),
        ("locale/en/two.po", PO + 'msgid "Idle"\nmsgstr "Idle"\n', "Nobody says 'Idle'"),
        ("locale/zh_CN/two.po", PO + 'msgid "Nothing"\nmsgstr "空"\n', "'Nothing' has two texts"),
    ],
)
def test_what_is_missing_bare_idle_or_said_twice_is_found(
    small: Path, file: str, more: str, said: str
) -> None:
    (small / file).write_text(more)

    found = words_check.problems()

    assert any(said in one for one in found), found


def test_a_text_that_loses_a_number_is_found(small: Path) -> None:
    (small / "locale/zh_CN/one.po").write_text(
        f'{PO}msgid "Sent {{n}}"\nmsgstr "已发"\n\nmsgid "Nothing"\nmsgstr "无"\n'
    )

    assert ["zh_CN: 'Sent {n}' has other {names} than its id."] == words_check.problems()


def test_what_a_comment_or_a_key_says_is_no_text(small: Path) -> None:
    (small / "pages/two.html").write_text("{# Some words #}<!-- Some words --><kbd>Ctrl</kbd> 110")
    (small / "static/two.mjs").write_text('//   t("Some words")\n')

    assert [] == words_check.problems()
