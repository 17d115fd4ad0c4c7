"""What the search engine refuses, with the locus and the profile it is about, and the mend."""

from __future__ import annotations


class SearchRefused(ValueError):
    """The question or the profile can't be used; the message names locus and profile, and says the mend."""


class IndexRefused(SearchRefused):
    """An index file is damaged, of another version, or of another panel or table."""
