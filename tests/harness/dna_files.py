"""Invented people and the files that analysis programs would write about them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from dna_intake.domain.profiles import AMELOGENIN
from dna_intake.intake import kits
from dna_intake.intake.cmf import IMPORT, RAPID
from harness.dna_stories import KIT

Loci = dict[str, list[str]]
_AT = "2026-03-01T08:00:00"


def person(seed: int, *, kit: str = KIT, sex: str = "male") -> Loci:
    """A profile of nobody: two alleles of the kit's ladder at every locus, drawn by a seed."""
    rng = random.Random(seed)
    ladder = kits.kit(kit).ladder
    loci = {
        locus: [rng.choice(sorted(alleles)) for _ in range(2)]
        for locus, alleles in sorted(ladder.items())
        if locus != AMELOGENIN
    }
    return loci | {AMELOGENIN: ["X", "Y"] if sex == "male" else ["X"]}


def child(father: Loci, mother: Loci, seed: int, sex: str = "male") -> Loci:
    """A child of two invented people, without a mutation."""
    rng = random.Random(seed)
    loci = {
        locus: [rng.choice(father[locus]), rng.choice(mother[locus])]
        for locus in father
        if locus != AMELOGENIN
    }
    return loci | {AMELOGENIN: ["X", "Y"] if sex == "male" else ["X"]}


def table(samples: Mapping[str, Loci], delimiter: str = "\t", sizes: bool = True) -> str:
    """A genotypes table as GeneMapper writes it, with peak columns that are not ours."""
    head = ["Sample File", "Sample Name", "Marker", "Dye", "Allele 1", "Allele 2", "Allele 3"]
    lines = [[*head, *(["Size 1", "Height 1"] if sizes else [])]]
    for name, loci in samples.items():
        for marker, alleles in loci.items():
            cells = [*alleles, "", "", ""][:3]
            lines.append([f"{name}.fsa", name, marker, "B", *cells, *(["101.3", "1500"] if sizes else [])])
    return "\r\n".join(delimiter.join(line) for line in lines) + "\r\n"


def wide(samples: Mapping[str, Loci]) -> str:
    """A table with a row a sample and two columns a locus."""
    loci = list(next(iter(samples.values())))
    lines = [["Sample Name", *(f"{locus} {n}" for locus in loci for n in (1, 2))]]
    for name, typed in samples.items():
        lines.append([name, *(cell for locus in loci for cell in [*typed[locus], ""][:2])])
    return "\n".join(",".join(line) for line in lines)


def cmf(samples: Mapping[str, Loci], kit: str | None = None) -> str:
    """A CODIS import file, version 3.3, with every element that CMF-2017.xsd asks for."""
    read = f"<READINGBY>reader</READINGBY><READINGDATETIME>{_AT}</READINGDATETIME>"
    specimens = "\n".join(_specimen(name, loci, "Biological Father", read) for name, loci in samples.items())
    named = f"<KIT>{escape(kit)}</KIT>" if kit else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<CODISImportFile xmlns="{IMPORT}">\n'
        "<HEADERVERSION>3.3</HEADERVERSION><MESSAGETYPE>Import</MESSAGETYPE>"
        "<DESTINATIONORI>FICTION001</DESTINATIONORI><SOURCELAB>FICTION002</SOURCELAB>"
        f"<SUBMITBYUSERID>reader</SUBMITBYUSERID><SUBMITDATETIME>{_AT}</SUBMITDATETIME>{named}\n"
        f"{specimens}\n</CODISImportFile>\n"
    )


def rapid(samples: Mapping[str, Loci], kit: str) -> str:
    """A Rapid Import file, with every element that its schema asks for; it names the kit at each locus."""
    event = (
        f"<UNIQUEEVENTID>FICTION-1</UNIQUEEVENTID><FINGERPRINTDATE>{_AT}</FINGERPRINTDATE>"
        "<ARRESTOFFENSECATEGORY>none: a sample of nobody</ARRESTOFFENSECATEGORY>"
    )
    specimens = "\n".join(
        _specimen(name, loci, "Legal", f"<KIT>{escape(kit)}</KIT>", event) for name, loci in samples.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<CODISRapidImportFile xmlns="{RAPID}">\n'
        "<HEADER><MESSAGEVERSION>1.0</MESSAGEVERSION><MESSAGETYPE>Rapid Import</MESSAGETYPE>"
        f"<MESSAGEID>1</MESSAGEID><MESSAGEDATETIME>{_AT}</MESSAGEDATETIME>"
        "<MSGCREATORUSERID>reader</MSGCREATORUSERID><DESTINATIONORI>FICTION001</DESTINATIONORI>"
        "<SOURCEORI>FICTION002</SOURCEORI></HEADER>\n"
        "<DEVICE><INSTRUMENTID>FICTION</INSTRUMENTID></DEVICE>\n"
        f"{specimens}\n</CODISRapidImportFile>\n"
    )


def _specimen(name: str, loci: Loci, category: str, read: str, event: str = "") -> str:
    rows = "\n".join(
        f"<LOCUS><LOCUSNAME>{locus}</LOCUSNAME>{read}{_alleles(values)}</LOCUS>"
        for locus, values in loci.items()
    )
    told = f"<SPECIMENCATEGORY>{category}</SPECIMENCATEGORY>{event}"
    return f"<SPECIMEN><SPECIMENID>{escape(name)}</SPECIMENID>{told}\n{rows}\n</SPECIMEN>"


def _alleles(values: Sequence[str]) -> str:
    return "".join(f"<ALLELE><ALLELEVALUE>{escape(value)}</ALLELEVALUE></ALLELE>" for value in values)


def as_json(samples: Mapping[str, Loci], kit: str | None = KIT, retyped: Iterable[str] = ()) -> str:
    """The same as JSON."""
    rows = [{"specimen": name, "loci": loci, "retyped": list(retyped)} for name, loci in samples.items()]
    return json.dumps({"kit": kit, "specimens": rows})
