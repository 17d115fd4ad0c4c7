"""What kinds of place the county plan tells: a closed list, so that a typing error can't hide a school.

Source: the county plan's list of sites that look out (docs/glossary.md); `liaison` is a person who passes it on.
"""

from __future__ import annotations

CATEGORIES: dict[str, tuple[str, str]] = {
    "bus_station": ("汽车站", "Bus station"),
    "ferry_terminal": ("客运码头", "Ferry terminal"),
    "hotel": ("宾馆旅店", "Hotel"),
    "entertainment_venue": ("娱乐场所", "Entertainment venue"),
    "hospital": ("医院", "Hospital"),
    "school": ("学校", "School"),
    "urban_management": ("城管", "Urban management"),
    "liaison": ("联络员", "Liaison"),
    "other": ("其他", "Other"),
}
"""Word in the files -> what people read, in Chinese and English."""
