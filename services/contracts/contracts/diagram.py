"""The flow diagram for people, derived from `flow.py`: services, topics, facts."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.flow import TOPICS, Topic

_HEAD = """\
# Who says what to whom

Generated from `services/contracts/contracts/flow.py` by `python -m contracts.generate`; do not edit.
Boxes are services, the others are topics with the facts they carry.
"""

BEGIN, END = "<!-- flow: by contracts.generate -->", "<!-- end of flow -->"


def page() -> str:
    """Return the Markdown page with one diagram and one table."""
    return f"{_HEAD}\n```mermaid\n{mermaid()}\n```\n\n{_table()}\n"


def in_page(text: str) -> str:
    """Return a page with the diagram without facts between its two marks; a page without them is left as it is."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return text
    return f"{before}{BEGIN}\n```mermaid\n{mermaid(with_facts=False)}\n```\n{END}{after}"


def mermaid(*, with_facts: bool = True) -> str:
    """Return the diagram: one node a topic, an arrow from each writer and to each reader."""
    names = dict.fromkeys(name for topic in TOPICS for name in (*topic.writers, *topic.readers))
    lines = ["flowchart LR"]
    lines += [f'    {_id(name)}["{name}"]' for name in names]
    for topic in TOPICS:
        lines += _topic_lines(topic, with_facts)
    return "\n".join(lines)


def _topic_lines(topic: Topic, with_facts: bool) -> Iterator[str]:
    facts = "".join(f"<br/>{fact.__name__}" for fact in topic.facts) if with_facts else ""
    yield f'    {_id(topic.name)}(["<b>{topic.name}</b> {topic.title_zh}{facts}"])'
    for writer in topic.writers:
        yield f"    {_id(writer)} --> {_id(topic.name)}"
    for reader in topic.readers:
        yield f"    {_id(topic.name)} -.-> {_id(reader)}"


def _table() -> str:
    rows = ["| topic | key | fact | type | what it says |", "| --- | --- | --- | --- | --- |"]
    for topic in TOPICS:
        for fact in topic.facts:
            says = (fact.__doc__ or "").strip().splitlines()[0]
            rows.append(
                f"| {topic.name} {topic.title_zh} | {topic.keyed_by} | {fact.__name__} | `{fact.type_}` "
                f"| [{says}](../services/contracts/contracts/examples/{fact.type_}.json) |"
            )
    return "\n".join(rows)


def _id(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)
