"""What other agencies rely on: every fact has an example, a schema, an owner, and a way to be refused."""

from __future__ import annotations

import copy
import json
from typing import Any, get_args
from uuid import UUID

import jsonschema
import pytest

from contracts import diagram, generate, wire
from contracts.base import EventId, Fact
from contracts.compat import breaking_changes
from contracts.dna import DnaFact
from contracts.flow import ALERTS, FACT_BY_TYPE, REPORTS, TOPIC_OF, TOPICS, Topic
from contracts.notice import KnownKind, NoticeDelivered, NoticeKind, Purpose, kind_fields
from contracts.wire import BODY_BYTES_MAX, Unreadable

EVENT = EventId(UUID("0190f0c0-0000-7000-8000-000000000001"))
FACTS = sorted(FACT_BY_TYPE)


def example(type_: str) -> dict[str, Any]:
    return dict(json.loads((generate.EXAMPLES / f"{type_}.json").read_text(encoding="utf-8")))


def fact(type_: str) -> Fact:
    return FACT_BY_TYPE[type_].model_validate(example(type_))


def message(type_: str = "guitu.report.filed.v1") -> tuple[dict[str, bytes], bytes]:
    """Headers and body of a good message, for a test to spoil."""
    good = wire.encode(fact(type_), EVENT, "guitu/tests")
    return dict(good.headers), good.value


def reason(topic: Topic, headers: dict[str, bytes], body: bytes | None) -> str:
    with pytest.raises(Unreadable) as refused:
        wire.decode(topic, headers.items(), body)
    assert refused.value.detail
    return refused.value.reason


@pytest.mark.parametrize("type_", FACTS)
def test_example_fits_the_committed_schema(type_: str) -> None:
    schema = json.loads((generate.SCHEMAS / f"{type_}.schema.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(example(type_))


@pytest.mark.parametrize("type_", FACTS)
def test_example_says_every_field_and_survives_the_wire(type_: str) -> None:
    before = fact(type_)

    sent = wire.encode(before, EVENT, "guitu/tests")
    received = wire.decode(TOPIC_OF[type(before)], sent.headers, sent.value)

    assert before == received.fact
    assert received.event_id == EVENT
    assert received.source == "guitu/tests"
    assert set(FACT_BY_TYPE[type_].model_fields) == set(example(type_)) | left_out(type_)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_topic_has_owner_readers_and_a_line_in_the_diagram(topic: Topic) -> None:
    drawn = diagram.mermaid()

    assert topic.writers
    assert topic.readers
    assert all(kind.__name__ in drawn for kind in topic.facts)
    for writer in topic.writers:
        assert f"{diagram._id(writer)} --> {diagram._id(topic.name)}" in drawn


def test_every_fact_is_carried_by_exactly_one_topic() -> None:
    carried = [kind for topic in TOPICS for kind in topic.facts]

    assert len(carried) == len(set(carried)) == len(FACT_BY_TYPE)


def left_out(type_: str) -> set[str]:
    """A fact of the laboratory names a case or a specimen: one of the two is always left out."""
    of_laboratory = issubclass(FACT_BY_TYPE[type_], DnaFact)
    return {"case_id", "specimen_id"} - set(example(type_)) if of_laboratory else set()


@pytest.mark.parametrize("kind", [kind for kind in TOPIC_OF if issubclass(kind, DnaFact)])
def test_an_example_of_the_laboratory_names_a_case_or_a_specimen_and_never_both(kind: type[DnaFact]) -> None:
    found = example(kind.type_)

    assert ("case_id" in found) != ("specimen_id" in found)


def test_generated_files_are_up_to_date_and_break_nothing() -> None:
    assert generate.stale_files() == []
    assert generate.broken_contracts() == []
    assert generate.bad_examples() == []


def test_asyncapi_references_lead_somewhere() -> None:
    document = json.loads((generate.DOCS / "asyncapi.json").read_text(encoding="utf-8"))
    messages = document["components"]["messages"]

    assert all((generate.DOCS / each["payload"]["$ref"]).is_file() for each in messages.values())
    assert all(
        name in messages and reference["$ref"] == f"#/components/messages/{name}"
        for channel in document["channels"].values()
        for name, reference in channel["messages"].items()
    )


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    headers, body = message()
    newer = json.loads(body) | {"weather": "fog"}

    received = wire.decode(REPORTS, headers.items(), json.dumps(newer).encode())

    assert fact("guitu.report.filed.v1") == received.fact


@pytest.mark.parametrize("bad_id", [None, b"", b"17", b"\xff\xfe"])
def test_message_without_an_event_id_says_so(bad_id: bytes | None) -> None:
    headers, body = message()
    headers.pop("ce_id")
    if bad_id is not None:
        headers["ce_id"] = bad_id

    assert reason(REPORTS, headers, body) == "no_event_id"


def test_unknown_type_or_version_says_so() -> None:
    headers, body = message()

    assert reason(REPORTS, headers | {"ce_type": b"guitu.report.filed.v9"}, body) == "unknown_type"
    assert reason(REPORTS, headers | {"ce_type": b"\xff"}, body) == "unknown_type"


def test_fact_on_another_topic_says_where_it_belongs() -> None:
    headers, body = message()

    assert reason(ALERTS, headers, body) == "wrong_topic"


@pytest.mark.parametrize("body", [None, b""])
def test_empty_body_says_so(body: bytes | None) -> None:
    assert reason(REPORTS, message()[0], body) == "empty"


def test_oversized_body_is_refused_before_it_is_parsed() -> None:
    headers, body = message()
    room = BODY_BYTES_MAX - len(body)

    assert wire.decode(REPORTS, headers.items(), body + b" " * room).fact
    assert reason(REPORTS, headers, body + b" " * (room + 1)) == "too_large"


@pytest.mark.parametrize(
    ("field", "value"),
    [("child", None), ("occurred_at", "2026-03-01T06:00:00"), ("region_code", "12"), ("report_id", "x")],
)
def test_invalid_body_names_the_field_but_never_its_value(field: str, value: Any) -> None:
    headers, body = message()
    secret = "Z-secret"
    spoilt = json.loads(body) | {field: value, "note": [secret]}

    with pytest.raises(Unreadable) as refused:
        wire.decode(REPORTS, headers.items(), json.dumps(spoilt).encode())

    assert refused.value.reason == "invalid"
    assert field in refused.value.detail
    assert secret not in refused.value.detail


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"null"])
def test_body_that_is_no_json_object_is_invalid(body: bytes) -> None:
    assert reason(REPORTS, message()[0], body) == "invalid"


def _remove(schema: dict[str, Any]) -> None:
    del schema["properties"]["note"]


def _rename_inside(schema: dict[str, Any]) -> None:
    properties = schema["$defs"]["Child"]["properties"]
    properties["size_cm"] = properties.pop("height_cm")


def _require(schema: dict[str, Any]) -> None:
    schema["properties"]["weather"] = {"type": "string"}
    schema["required"].append("weather")


def _make_optional(schema: dict[str, Any]) -> None:
    schema["required"].remove("last_seen_at")


def _narrow_enum(schema: dict[str, Any]) -> None:
    schema["$defs"]["Sex"]["enum"].remove("unknown")


def _widen_enum(schema: dict[str, Any]) -> None:
    schema["$defs"]["TravelMode"]["enum"].append("balloon")


def _narrow_type(schema: dict[str, Any]) -> None:
    schema["$defs"]["Child"]["properties"]["height_cm"]["anyOf"].pop()


def _narrow_limit(schema: dict[str, Any]) -> None:
    schema["$defs"]["Child"]["properties"]["age_years"]["maximum"] = 14


BREAKING = [
    (_remove, "note"),
    (_rename_inside, "child.height_cm"),
    (_require, "weather"),
    (_make_optional, "last_seen_at"),
    (_narrow_enum, "child.sex"),
    (_widen_enum, "suspected_mode"),
    (_narrow_type, "child.height_cm"),
    (_narrow_limit, "child.age_years"),
]


@pytest.mark.parametrize(("change", "named"), BREAKING, ids=lambda each: getattr(each, "__name__", str(each)))
def test_breaking_change_is_found_and_named(change: Any, named: str) -> None:
    old = generate.schema_of(FACT_BY_TYPE["guitu.report.filed.v1"])
    new = copy.deepcopy(old)
    change(new)

    found = breaking_changes(old, new)

    assert found
    assert all(line.startswith(f"{named}:") for line in found), found


def test_new_optional_field_and_better_words_break_nothing() -> None:
    old = generate.schema_of(FACT_BY_TYPE["guitu.report.filed.v1"])
    new = copy.deepcopy(old)
    new["properties"]["weather"] = {"type": "string", "default": ""}
    new["$defs"]["Child"]["properties"]["hair"] = {"type": "string", "default": ""}
    new["description"] = "Better words."

    assert breaking_changes(old, new) == []


def test_fact_that_left_its_topic_is_a_breaking_change(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guitu.report.gone.v1.schema.json").write_text("{}")
    monkeypatch.setattr(generate, "SCHEMAS", tmp_path)

    assert "guitu.report.gone.v1: no topic carries it" in generate.broken_contracts()[0]


@pytest.mark.parametrize("kind", get_args(KnownKind) + get_args(Purpose))
def test_a_later_kind_is_read_by_those_who_know_only_the_first_ones(kind: NoticeKind) -> None:
    fields = example("guitu.notice.delivered.v1") | kind_fields(kind)

    delivered = NoticeDelivered.model_validate_json(json.dumps(fields))

    assert kind == delivered.really
    assert fields["kind"] in get_args(KnownKind)
