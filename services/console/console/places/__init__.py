"""Places by their Chinese name, by pinyin or by initials."""
