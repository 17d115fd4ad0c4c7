"""The certificate as JSON takes it."""

from __future__ import annotations

import json

from dispatch.planning.certificate import as_plain
from dispatch.planning.model import Certificate


def test_a_certificate_is_told_in_the_names_of_the_instance():
    leaf = Certificate(paths=(((0, 2), 0.5),), stops=(0.0, 0.25), movements=(1,))
    split = Certificate(branches=(leaf, leaf), branch_on=(1, 0))

    told = json.loads(json.dumps(as_plain(split, ["home", "bridge", "east"], ["P1", "P2"])))

    one = {"paths": [{"nodes": ["home", "east"], "flow": 0.5, "movement": 1}], "stops": {"P2": 0.25}}
    assert {"branch_on": {"unit": "P2", "node": "home"}, "branches": [one, one]} == told
