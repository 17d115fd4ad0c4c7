"""How a text gets shorter until it fits: fixed steps, whole words, never a cut.

One character too many would make two segments, which halves the speed of a whole fan-out (a US long code sends one
segment a second). If no step fits, the text is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from notifications.domain.templates import Template
from notifications.segments import characters_max, segmentation


class TextTooLong(Exception):
    """No step made the text fit; says how long the shortest was, in characters."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a text is made of at one step: the values that are left, and whether spare words are."""

    values: Mapping[str, str]
    spare: bool = True


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text that fits, with the step it took and the one that would have said most."""

    text: str
    chosen: Step
    fullest: Step

    @property
    def shortened(self) -> dict[str, str]:
        """What was said shorter (its words now) or left out (empty); `spare` stands for the spare words."""
        less = {
            name: self.chosen.values.get(name, "")
            for name, value in self.fullest.values.items()
            if value != self.chosen.values.get(name, "")
        }
        return less if self.chosen.spare == self.fullest.spare else less | {"spare": ""}


def fit(template: Template, steps: Iterable[Step], head: str, segments_max: int = 1) -> Fitted:
    """The first step that fits, with `head` before it. Raises: TextTooLong."""
    shortest, fullest, longest = 0, None, characters_max(head, segments_max)
    for step in steps:
        words = template.filled(step.values, step.spare)
        if words is None:
            continue
        fullest, text = fullest or step, head + words
        if len(text) <= longest and segmentation(text).segments <= segments_max:
            return Fitted(text, step, fullest)
        shortest = len(text)
    raise TextTooLong(
        f"The shortest text has {shortest} characters and needs more than {segments_max} segment(s); "
        "shorten the template, GUITU_SMS_SIGNATURE_ZH or GUITU_SMS_SIGNATURE_EN."
    )


def with_spare(values: Iterable[Mapping[str, str]], template: Template) -> Iterator[Step]:
    """Each of these, then the same without the spare words if there are any."""
    for each in values:
        yield Step(each)
        if template.has_spare:
            yield Step(each, spare=False)
