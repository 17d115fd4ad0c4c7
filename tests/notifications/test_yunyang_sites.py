"""The demonstration directory reaches nobody real, and fits the units and townships it speaks of."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from uuid import UUID

import phonenumbers
import pytest

SERVICES = Path(__file__).resolve().parents[2] / "services"
DATA = SERVICES / "notifications/notifications/data/yunyang"
# Ofcom: numbers for drama use. NANPA: 555-0100 to 555-0199 for fictional use.
RESERVED = re.compile(r"\+447700900\d{3}|\+1[2-9]\d{2}55501\d{2}")
CATEGORIES = {
    "bus_station",
    "ferry_terminal",
    "hotel",
    "entertainment_venue",
    "hospital",
    "school",
    "urban_management",
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SITES = rows(DATA / "sites.csv")
CONTACTS = rows(DATA / "contacts.csv")
UNITS = rows(SERVICES / "dispatch/dispatch/data/yunyang/units.csv")
TOWNSHIPS = rows(SERVICES / "alerts/alerts/data/yunyang/townships.csv")


def test_every_number_is_reserved_for_fiction():
    wrong = [contact["contact_id"] for contact in CONTACTS if not RESERVED.fullmatch(contact["phone_e164"])]

    assert wrong == []


def test_every_number_is_a_possible_one_in_e164():
    for contact in CONTACTS:
        number = phonenumbers.parse(contact["phone_e164"], None)

        assert phonenumbers.is_possible_number(number), contact["contact_id"]
        assert contact["phone_e164"] == phonenumbers.format_number(
            number, phonenumbers.PhoneNumberFormat.E164
        )


def test_every_contact_has_its_own_number_and_id():
    for column in ("phone_e164", "contact_id"):
        doubles = [value for value, count in Counter(c[column] for c in CONTACTS).items() if count > 1]

        assert doubles == []


def test_every_contact_belongs_to_one_site_or_one_unit():
    sites, units = {site["site_id"] for site in SITES}, {unit["unit_id"] for unit in UNITS}

    for contact in CONTACTS:
        assert (contact["site_id"] in sites) != (contact["unit_id"] in units)
        assert "" in (contact["site_id"], contact["unit_id"])
    assert sites == {contact["site_id"] for contact in CONTACTS} - {""}
    assert units == {contact["unit_id"] for contact in CONTACTS} - {""}


def test_contacts_of_a_site_are_asked_in_order_from_one_on():
    orders: dict[str, list[int]] = {}
    for contact in CONTACTS:
        orders.setdefault(contact["site_id"] or contact["unit_id"], []).append(int(contact["order"]))

    assert all(sorted(order) == list(range(1, len(order) + 1)) for order in orders.values())


def test_nobody_is_named():
    assert {"值班 1", "值班 2"} == {contact["label"] for contact in CONTACTS}


def test_every_township_has_a_bus_station_and_the_river_its_landings():
    codes = {township["code"] for township in TOWNSHIPS}
    by_category = Counter(site["category"] for site in SITES)

    assert codes == {site["township_code"] for site in SITES if site["category"] == "bus_station"}
    assert set(by_category) == CATEGORIES
    assert by_category["ferry_terminal"] == 12
    assert codes >= {site["township_code"] for site in SITES}


@pytest.mark.parametrize("column", ["site_id", "name_zh", "name_en"])
def test_every_site_can_be_told_from_every_other(column: str):
    assert len(SITES) == len({site[column] for site in SITES})
    assert all(UUID(site["site_id"]).version == 5 for site in SITES)


def test_every_site_lies_in_or_near_the_county():
    for site in SITES:
        assert 108.4 < float(site["lon"]) < 109.25
        assert 30.58 < float(site["lat"]) < 31.45
        assert site["region_code"] == "500235"
