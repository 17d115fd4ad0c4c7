"""Search of a national size: one person against ten million profiles, exactly, within a fraction of a second.

A plain library over numpy and numba: a panel makes profiles into bytes, an index holds them, a query's tables hold the
likelihood ratio of every genotype at every locus, and a scan looks them up. The model and its ratios are those of
`dna_intake.kinship`. It knows no database, specimen or case; formats, method and limits: docs/dna_search.md.
"""

from dna_intake.search.all_pairs import Batch, PairLead, all_against_all
from dna_intake.search.couples import Couples, children_of_couple, couples_of
from dna_intake.search.engine import kinship_of
from dna_intake.search.index import Index
from dna_intake.search.index_file import open_index, save
from dna_intake.search.leads import Found, Lead
from dna_intake.search.pair_tables import Kinship, Query
from dna_intake.search.panel import Encoded, Panel
from dna_intake.search.refusals import IndexRefused, SearchRefused
from dna_intake.search.relations import CHILD, FULL_SIBLING, PARENT, RELATIONS, Relation
from dna_intake.search.search import children_of, parents_of, relatives_of, siblings_of

__all__ = [
    "CHILD",
    "FULL_SIBLING",
    "PARENT",
    "RELATIONS",
    "Batch",
    "Couples",
    "Encoded",
    "Found",
    "Index",
    "IndexRefused",
    "Kinship",
    "Lead",
    "PairLead",
    "Panel",
    "Query",
    "Relation",
    "SearchRefused",
    "all_against_all",
    "children_of",
    "children_of_couple",
    "couples_of",
    "kinship_of",
    "open_index",
    "parents_of",
    "relatives_of",
    "save",
    "siblings_of",
]
