"""Write the places that the console's type-ahead knows by heart, each with its pinyin.

    python deploy/data/make_places.py [--root REPOSITORY]

Reads the gazetteer in `services/alerts/alerts/data/yunyang` and writes `services/console/console/data/yunyang/
places.csv`. The same inputs give the same bytes; a test compares them with the committed file. Sites and
checkpoints are not in it: the console asks their owners, since they change.

Readings: pypinyin (MIT), every reading of a character that has several, the one of the word first; names whose
local reading it does not know are in `LOCAL`.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from pypinyin import Style, pinyin

COLUMNS = ("kind", "code", "name_zh", "name_en", "township_code", "lon", "lat", "position", "pinyin")
OFFICES = ("居民委员会", "村民委员会")
"""What the office of a village is called; people say the village."""
KINDS = {"社区": "community", "村": "village"}
LOCAL = {"蔈": "biao|piao"}
"""蔈草镇: the town says biao, GeoNames writes piao."""


def readings(name: str) -> str:
    """A syllable a character, several readings joined by `|`; other characters stand for themselves."""
    found = pinyin(name, style=Style.NORMAL, heteronym=True, errors=list)
    parts = []
    for sign, said in zip(name, found, strict=True):
        parts.append(LOCAL.get(sign) or "|".join(dict.fromkeys(said)).lower())
    return " ".join(parts)


def village_name(office: str) -> str:
    """`杏家湾社区居民委员会` is the community 杏家湾社区, `三星村民委员会` the village 三星村."""
    for suffix in OFFICES:
        if office.endswith(suffix):
            bare = office.removesuffix(suffix)
            return (
                bare
                if bare.endswith(tuple(KINDS))
                else f"{bare}{'社区' if suffix.startswith('居') else '村'}"
            )
    return office


def english(name: str, spelled: str) -> str:
    """Plain pinyin for what has no English name of its own: `Xingjiawan community`."""
    ending = next((each for each in KINDS if name.endswith(each)), "")
    stem = spelled.split(" ")[: len(name) - len(ending)]
    first = [syllable.split("|")[0] for syllable in stem]
    joined = "".join(f"'{one}" if at and one[0] in "aeo" else one for at, one in enumerate(first))
    return f"{joined.capitalize()} {KINDS.get(ending, '')}".strip()


def rows(gazetteer: Path) -> list[dict[str, str]]:
    """Townships first, then villages, each in the order of the codes."""
    towns = list(csv.DictReader((gazetteer / "townships.csv").open(encoding="utf-8", newline="")))
    position = {town["code"]: (town["lon"], town["lat"]) for town in towns}
    found = [
        {
            "kind": "township",
            "code": town["code"],
            "name_zh": town["name_zh"],
            "name_en": town["name_en"],
            "township_code": town["code"],
            "lon": town["lon"],
            "lat": town["lat"],
            "position": "schematic" if town["position_source"] == "schematic" else "own",
            "pinyin": readings(town["name_zh"]),
        }
        for town in towns
    ]
    for village in csv.DictReader((gazetteer / "villages.csv").open(encoding="utf-8", newline="")):
        lon, lat = position[village["township_code"]]
        name = village_name(village["name_zh"])
        spelled = readings(name)
        found.append(
            {
                "kind": "village",
                "code": village["code"],
                "name_zh": name,
                "name_en": english(name, spelled),
                "township_code": village["township_code"],
                "lon": lon,
                "lat": lat,
                "position": "township",
                "pinyin": spelled,
            }
        )
    return found


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    root: Path = parser.parse_args().root
    out = root / "services/console/console/data/yunyang/places.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(root / "services/alerts/alerts/data/yunyang"))


if __name__ == "__main__":
    main()
