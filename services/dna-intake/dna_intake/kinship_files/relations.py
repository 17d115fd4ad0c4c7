"""Standard questions by name, so that nobody has to write two pedigrees for a trio."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dna_intake.kinship_files.fields import PersonId, Strict

Side = Literal["father", "mother"]


class Duo(Strict):
    """Is this the child's parent, or a stranger?"""

    kind: Literal["duo"]
    child: PersonId
    parent: PersonId


class Trio(Strict):
    """Is the questioned one the child's parent beside the known other one, or a stranger?"""

    kind: Literal["trio"]
    child: PersonId
    father: PersonId
    mother: PersonId
    questioned: Side = "father"


class Couple(Strict):
    """Are these two together the child's parents, or two strangers?"""

    kind: Literal["couple"]
    child: PersonId
    father: PersonId
    mother: PersonId


class FullSiblings(Strict):
    """Do these two have both parents in common, or are they strangers?"""

    kind: Literal["full_siblings"]
    first: PersonId
    second: PersonId


class HalfSiblings(Strict):
    """Do these two have one parent in common, or are they strangers?"""

    kind: Literal["half_siblings"]
    first: PersonId
    second: PersonId
    shared: Side = "mother"


class Grandparent(Strict):
    """Is this a parent of the child's untyped father or mother, or a stranger?"""

    kind: Literal["grandparent"]
    child: PersonId
    grandparent: PersonId
    through: Side = "father"


class Grandparents(Strict):
    """Are these two the parents of the child's untyped father or mother, or two strangers?"""

    kind: Literal["grandparents"]
    child: PersonId
    grandfather: PersonId
    grandmother: PersonId
    through: Side = "father"


class UncleAunt(Strict):
    """Is this a full sibling of the child's untyped father or mother, or a stranger?"""

    kind: Literal["uncle_aunt"]
    child: PersonId
    relative: PersonId
    through: Side = "father"


Relation = Annotated[
    Duo | Trio | Couple | FullSiblings | HalfSiblings | Grandparent | Grandparents | UncleAunt,
    Field(discriminator="kind"),
]
