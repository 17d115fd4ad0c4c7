"""Who has which phone, from the same files that `guitu seed` loads; every number is reserved for fiction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from notifications.directory import ContactRow, SiteRow, read_directory
from notifications.seed import YUNYANG


@dataclass(frozen=True)
class Phonebook:
    """Sites by id, and the contacts of sites and units by phone."""

    sites: dict[UUID, SiteRow]
    contacts: dict[str, ContactRow]

    def site(self, name_en: str) -> SiteRow:
        """Return the site of that name. Raises: KeyError naming sites of a similar beginning."""
        found = [site for site in self.sites.values() if site.name_en == name_en]
        if not found:
            near = [site.name_en for site in self.sites.values() if site.name_en[:4] == name_en[:4]]
            raise KeyError(f"No site {name_en!r} in the directory; near it: {near}")
        return found[0]

    def first_phone_of(self, site_id: UUID) -> str:
        """Return the phone that a site's notice goes to first."""
        rows = [row for row in self.contacts.values() if row.site_id == site_id]
        return min(rows, key=lambda row: row.order).phone_e164

    def phone_of_unit(self, unit_id: UUID) -> str:
        """Return the phone that a unit's orders go to."""
        return next(row.phone_e164 for row in self.contacts.values() if row.unit_id == unit_id)

    def is_unit(self, phone: str) -> bool:
        """Tell whether a phone belongs to a unit; an unknown one belongs to nobody."""
        return phone in self.contacts and self.contacts[phone].unit_id is not None


@lru_cache(maxsize=4)
def phonebook(directory: Path = YUNYANG) -> Phonebook:
    """Read the directory once."""
    found = read_directory(directory)
    return Phonebook(
        {site.site_id: site for site in found.sites}, {row.phone_e164: row for row in found.contacts}
    )
