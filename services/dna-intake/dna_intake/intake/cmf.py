"""CODIS Common Message Format (CMF) files, version 3.x and Rapid Import 1.0, into samples.

Both have SPECIMEN, SPECIMENID, LOCUS, LOCUSNAME, ALLELE and ALLELEVALUE; they differ in namespace and header. A kit
stands at the file, or at a locus (an attribute in 3.x, an element in Rapid): a specimen of several is typed with
all of them. Read as a stream with line numbers; a document type, an entity or another file is refused (defusedxml).
What else a Rapid file says of a person (arrest, fingerprints) is passed over.
Source: CMF-2017.xsd in OSIRIS (NCBI, public domain) for urn:CODISImportFile-schema; CODIS-R-CMF-Interface-Spec.xsd, the
schema of the FBI's Rapid Import CMF interface, as kept in FragalyseQt at 01e6878, for urn:CODISRapidImportFile-schema.
"""

from __future__ import annotations

import io
from typing import Any
from xml.sax import SAXException, SAXParseException, handler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from dna_intake.intake.gathering import Gathering
from dna_intake.intake.sheet import FileRefused, Sheet, refused

IMPORT = "urn:CODISImportFile-schema"
RAPID = "urn:CODISRapidImportFile-schema"
_ROOTS = {(IMPORT, "CODISImportFile"): "cmf 3", (RAPID, "CODISRapidImportFile"): "cmf rapid"}
_DEPTH_MAX = 8
_TEXT_MAX = 512
_TEXTS = {"SPECIMENID", "LOCUSNAME", "ALLELEVALUE", "KIT", "MESSAGETYPE", "HEADERVERSION", "MESSAGEVERSION"}


def read_cmf(raw: bytes) -> Sheet:
    """The samples of a CMF file. Raises: FileRefused, with the line."""
    found = _Reader()
    try:
        parser: Any = create_parser(forbid_dtd=True)
        parser.setFeature(handler.feature_namespaces, True)
        parser.setContentHandler(found)
        parser.parse(io.BytesIO(raw))
    except DefusedXmlException:
        raise refused(
            "The XML has a document type or an entity.",
            "XML 含有 DTD 或实体,已拒绝。",
            "Export it again without a DOCTYPE.",
        ) from None
    except SAXParseException as error:
        raise _broken(error.getLineNumber()) from None
    except FileRefused:
        raise
    except SAXException:
        raise _broken(None) from None
    except (UnicodeError, ValueError, LookupError):
        # What expat says of an encoding of several bytes, such as GB 18030, or of one that nobody knows.
        raise refused(
            "The XML is in an encoding that is not read.",
            "XML 的字符编码不支持。",
            "Save it again as UTF-8, with UTF-8 in its first line.",
        ) from None
    return Sheet(found.format, found.kit, found.gathering.samples())


def _broken(line: int | None) -> FileRefused:
    return refused(
        "The XML is broken, or cut off.",
        "XML 文件损坏或不完整。",
        "Export the file again and send all of it.",
        line,
    )


class _Reader(handler.ContentHandler):
    """Follows the elements down to the alleles; whatever else stands in the file is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.gathering, self.format = Gathering(), ""
        self.kit: str | None = None
        self._locator: Any = None
        self._path: list[str] = []
        self._text: list[str] = []
        # Counted along: a text of a million short lines comes in as many pieces.
        self._length = 0
        self._specimen, self._locus = "", ""
        self._locus_kit: str | None = None
        self._kits: list[str | None] = []
        self._alleles: list[str] = []
        self._lines = [0, 0]

    def setDocumentLocator(self, locator: Any) -> None:
        """Where the parser is."""
        self._locator = locator

    def startElementNS(self, name: tuple[str | None, str], _qname: str | None, attrs: Any) -> None:
        """An element begins."""
        self._check_place(name)
        self._path.append(name[1])
        self._text, self._length = [], 0
        if name[1] == "SPECIMEN":
            self._specimen, self._kits, self._lines[0] = "", [], self._line()
        elif name[1] == "LOCUS":
            self._locus, self._alleles, self._lines[1] = "", [], self._line()
            self._locus_kit = attrs.get((None, "KIT")) or None

    def characters(self, content: str) -> None:
        """Text of the element that is open, bounded."""
        if self._length <= _TEXT_MAX and self._path and self._path[-1] in _TEXTS:
            self._text.append(content)
            self._length += len(content)

    def endElementNS(self, name: tuple[str | None, str], _qname: str | None) -> None:
        """An element ends: take what it said."""
        text = "".join(self._text).strip()
        self._text, self._length = [], 0
        self._path.pop()
        match name[1]:
            case "SPECIMENID":
                self._begin(text)
            case "LOCUSNAME":
                self._locus = text
            case "ALLELEVALUE":
                self._alleles.append(text)
            case "KIT" if "LOCUS" in self._path:
                self._locus_kit = text or None
            case "KIT":
                self.kit = text or None
            case "LOCUS":
                self._kits.append(self._locus_kit)
                self._end_of_locus()
            case "SPECIMEN" if self._specimen and any(self._kits):
                named = [kit or self.kit for kit in self._kits]
                self.gathering.typed_with(self._specimen, [kit for kit in named if kit])

    def _begin(self, specimen: str) -> None:
        line = self._lines[0]
        if not specimen:
            self.gathering.trouble(
                line, "", "", "A specimen has no id.", "检材编号为空。", "Put its barcode into SPECIMENID."
            )
        elif self.gathering.has(specimen):
            self.gathering.trouble(
                line,
                specimen,
                "",
                "The specimen is there twice.",
                "检材重复。",
                "Send each specimen once a file.",
            )
        else:
            self._specimen = specimen
            self.gathering.begin(line, specimen)

    def _end_of_locus(self) -> None:
        if self._specimen and self._locus:
            self.gathering.add(self._lines[1], self._specimen, self._locus, self._alleles)
        elif self._specimen:
            self.gathering.trouble(
                self._lines[1],
                self._specimen,
                "",
                "A locus has no name.",
                "基因座名称为空。",
                "Fill in LOCUSNAME.",
            )

    def _check_place(self, name: tuple[str | None, str]) -> None:
        if not self._path:
            self.format = _ROOTS.get((name[0] or "", name[1]), "")
            if not self.format:
                raise refused(
                    "It is XML, but not a CODIS import file.",
                    "不是 CODIS 导入文件。",
                    f"Its root must be CODISImportFile ({IMPORT}) or CODISRapidImportFile ({RAPID}).",
                    self._line(),
                )
        if len(self._path) >= _DEPTH_MAX:
            raise _broken(self._line())

    def _line(self) -> int:
        return int(self._locator.getLineNumber() or 0) if self._locator else 0
