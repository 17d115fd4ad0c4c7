"""What people call the categories of specimens, for labels and lists; the words of the glossary."""

from __future__ import annotations

from contracts.dna import SpecimenCategory

CATEGORY_EN: dict[SpecimenCategory, str] = {
    "parent_of_missing_child": "Family of a missing child",
    "suspected_trafficked": "Suspected trafficked",
    "unknown_origin": "Unknown origin",
    "adopted": "Adopted child",
    "registry_applicant": "Registry applicant",
}
CATEGORY_ZH: dict[SpecimenCategory, str] = {
    "parent_of_missing_child": "失踪儿童亲属",
    "suspected_trafficked": "疑似被拐儿童",
    "unknown_origin": "来历不明儿童",
    "adopted": "被收养儿童",
    "registry_applicant": "申请落户儿童",
}
EXERCISE_EN, EXERCISE_ZH = "EXERCISE", "演练"
"""On everything printed for an exercise, so that no tube of one is taken for a real one."""
