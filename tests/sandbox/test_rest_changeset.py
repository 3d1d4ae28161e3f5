"""What a changeset does to a zone (R8, R9, R11-R15): all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.rest_client import DOMAIN, SPF, Rest, error, rdatas, row

if TYPE_CHECKING:
    from tests.sandbox.conftest import StartRest

NEW = row("new", '"x"')
LIVE_SPF = row("@", SPF, ttl=3600)
REFUSED = (400, "validationError")


def stored(rest: Rest) -> list[tuple[Any, ...]]:
    """What the zone holds at `new`, asked past the API: type, value, TTL."""
    records = rest.sandbox.rest_records(DOMAIN)
    return [(r["type"], r["rdata"], r["ttl"]) for r in records if r["name"] == "new"]


def test_r8_an_update_is_a_delete_and_a_create(rest: Rest) -> None:
    (before,) = rest.revisions()
    response = rest.change([row("@", '"v=spf1 -all"')], [LIVE_SPF])
    revision = response.json()["result"]
    assert response.status_code == 201
    assert list(revision) == ["identifier", "createdAt", "modifiedAt", "state", "serial"]
    assert (revision["state"], revision["serial"]) == ("committed", before["serial"] + 1)
    assert rest.revisions() == [before, revision]
    records = rest.records()
    assert len(records) == 17
    assert SPF not in rdatas(records, "@")
    assert '"v=spf1 -all"' in rdatas(records, "@")


def test_r8_old_revisions_stay_as_they_were(rest: Rest) -> None:
    (before,) = rest.revisions()
    rest.change([NEW], [LIVE_SPF])
    path = rest.path(f"dns/revision/{before['identifier']}/record")
    assert SPF in rdatas(rest.get(path).json()["result"], "@")


@pytest.mark.parametrize("status", [200, 201])
def test_r8_switch_status(start_rest: StartRest, status: int) -> None:
    assert start_rest(rest_changeset_status=status).change([NEW]).status_code == status


@pytest.mark.parametrize("field", ["name", "type", "rdata", "ttl"])
@pytest.mark.parametrize("where", ["create", "delete"])
def test_r8_all_four_fields_are_needed(untouched: Rest, where: str, field: str) -> None:
    entry = {**LIVE_SPF}
    del entry[field]
    lists: dict[str, Any] = {where: [entry]}
    assert error(untouched.change(**lists)) == REFUSED


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        {**NEW, "identifier": "x"},
        row("new", '"x"', ttl="300"),
        row("new", '"x"', ttl=True),
        row("new", '"x"', ttl=0),
        row("new", '"x"', ttl=2**31),
        row("new", '"x"', ttl=1.5),
        row("new", 7),  # type: ignore[arg-type]
        row("a b", '"x"'),
        row("new.example.org.", '"x"'),
        row("new", "x", kind="txt"),
        row("new", "203.0.113", kind="A"),
        row("new", "203.0.113.7", kind="AAAA"),
        row("new", "mail.example.com.", kind="MX"),
        row("new", "", kind="CAA"),
        row("new", ".", kind="CNAME"),
        row("new", "70000 mail.example.com.", kind="MX"),
        row("new", "1 2 mail.example.com.", kind="SRV"),
        row("new", "x", kind="SOA"),
    ],
)
def test_r8_a_record_that_cannot_be(untouched: Rest, entry: Any) -> None:
    assert error(untouched.change([NEW, entry])) == REFUSED
    assert stored(untouched) == []  # atomic: what came before is not there either
    assert len(untouched.revisions()) == 1


@pytest.mark.parametrize(
    "fields",
    [{"autoCommit": None}, {"strict": "true"}, {"create": {}}, {"delete": {}}, {"create": []}],
)
def test_r8_a_changeset_that_is_none(untouched: Rest, fields: dict[str, Any]) -> None:
    assert error(untouched.change(**{"create": [NEW], **fields})) == REFUSED
    assert stored(untouched) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "[" * 100_000, b"\xff"])
def test_r8_a_body_that_is_none(untouched: Rest, body: bytes | str) -> None:
    assert error(untouched.send("POST", untouched.path("changeset"), data=body)) == REFUSED


@pytest.mark.parametrize(
    ("kind", "rdata"),
    [
        ("A", "203.0.113.7"),
        ("AAAA", "2001:db8::7"),
        ("CNAME", "mail.example.com."),
        ("MX", "20 mx.example.net."),
        ("NS", "ns.example.net."),
        ("SRV", "0 5 443 mail.example.com."),
        ("CAA", '0 issue "letsencrypt.org"'),
        ("TLSA", "3 1 1 " + "ab" * 32),
        ("TXT", '"a \\"quoted\\" \\\\ \\009 text"'),
    ],
)
def test_r8_what_was_created_reads_so_and_is_deleted_by_it(
    rest: Rest, kind: str, rdata: str
) -> None:
    entry = row("new", rdata, kind)
    assert rest.change([entry]).status_code == 201
    assert stored(rest) == [(kind, rdata, 300)]
    assert rest.change(delete=[entry]).status_code == 201
    assert stored(rest) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("@", "example.com."),
        ("mail", "mail.example.com."),
        ("mail.example.com", "mail.example.com."),
        ("mail.example.com.", "mail.example.com."),
    ],
)
def test_targets_are_shown_in_full(rest: Rest, sent: str, shown: str) -> None:
    rest.change([row("new", sent, "CNAME")])
    assert stored(rest) == [("CNAME", shown, 300)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "www"},
        {"name": "example.com."},
        {"type": "A"},
        {"rdata": '"v=spf1" " mx a include:_spf.webhosting.systems ~all"'},
        {"rdata": SPF.replace("mx", "MX")},
        {"ttl": 300},
    ],
)
def test_r9_a_delete_that_hits_nothing(rest: Rest, wrong: dict[str, Any]) -> None:
    response = rest.change([NEW], [{**LIVE_SPF, **wrong}])
    assert error(response) == (422, "recordDoesNotExist")
    assert stored(rest) == []
    assert rest.change([NEW], [{**LIVE_SPF, **wrong}], strict=False).status_code == 201
    assert stored(rest) == [("TXT", '"x"', 300)]


def test_r9_switch_strict_miss(start_rest: StartRest) -> None:
    rest = start_rest(rest_strict_miss=400)
    assert error(rest.change(delete=[NEW])) == REFUSED


def test_r9_switch_a_miss_is_passed_over(start_rest: StartRest) -> None:
    rest = start_rest(rest_strict_miss="ignore")
    assert rest.change([NEW], [{**LIVE_SPF, "ttl": 1}]).status_code == 201


def test_a_delete_takes_all_identical_rows(rest: Rest) -> None:
    rest.change([NEW, NEW, row("new", '"x"', ttl=60)])
    assert len(stored(rest)) == 3
    rest.change(delete=[NEW])
    assert stored(rest) == [("TXT", '"x"', 60)]


def test_a_duplicate_is_a_second_row(rest: Rest) -> None:
    for count in (1, 2):
        assert rest.change([NEW]).status_code == 201
        assert len(stored(rest)) == count


def test_a_cname_stands_alone(rest: Rest) -> None:
    alias = row("new", "mail.example.com.", "CNAME")
    assert error(rest.change([NEW, alias])) == REFUSED
    rest.change([NEW])
    assert rest.change([alias], [NEW]).status_code == 201  # deletes come first


@pytest.mark.parametrize("form", ["@", "empty", "fqdn", "fqdn-dot"])
@pytest.mark.parametrize("name", ["@", "", "example.com.", "Example.COM."])
def test_created_names_may_have_any_form(start_rest: StartRest, form: str, name: str) -> None:
    rest = start_rest(rest_names=form)
    assert rest.change([row(name, '"x"')]).status_code == 201
    apex = {"@": "@", "empty": "", "fqdn": "example.com", "fqdn-dot": "example.com."}[form]
    assert '"x"' in rdatas(rest.records(), apex)


@pytest.mark.parametrize(
    ("form", "owner"), [("@", "new.example.com"), ("fqdn", "new"), ("fqdn-dot", "new.example.com")]
)
def test_a_name_without_a_dot_is_relative_unless_shown_in_full(
    start_rest: StartRest, form: str, owner: str
) -> None:
    rest = start_rest(rest_names=form)
    rest.change([row("new.example.com", '"x"')])
    assert owner in {record["hostname"] for record in rest.sandbox.zone(DOMAIN)}


@pytest.mark.parametrize("form", ["@", "empty", "fqdn", "fqdn-dot"])
def test_r8_deletes_name_records_as_they_are_shown(start_rest: StartRest, form: str) -> None:
    rest = start_rest(rest_names=form)
    shown = next(record["name"] for record in rest.records() if record["rdata"] == SPF)
    other = "example.com." if shown != "example.com." else "@"
    assert error(rest.change(delete=[{**LIVE_SPF, "name": other}]))[0] == 422
    assert rest.change(delete=[{**LIVE_SPF, "name": shown}]).status_code == 201


@pytest.mark.parametrize("name", ["@", "", "example.com."])
def test_r8_switch_deletes_in_any_form(start_rest: StartRest, name: str) -> None:
    rest = start_rest(rest_name_match="any-form")
    assert rest.change(delete=[{**LIVE_SPF, "name": name}]).status_code == 201


def test_r11_auto_commit_false_makes_a_draft(rest: Rest) -> None:
    (before,) = rest.revisions()
    draft = rest.change([NEW], autoCommit=False).json()["result"]
    assert draft["state"] == "draft"
    assert rest.revisions() == [before, draft]
    assert rdatas(rest.records(), "new") == ['"x"']  # of the draft
    assert stored(rest) == []
    assert rest.sandbox.stats()["serials"][DOMAIN] == str(before["serial"])


def test_r11_the_next_changeset_leaves_a_draft_alone(rest: Rest) -> None:
    rest.change([NEW], autoCommit=False)
    rest.change([row("new", '"y"')])
    assert stored(rest) == [("TXT", '"y"', 300)]
    assert [r["state"] for r in rest.revisions()] == ["committed", "draft", "committed"]


@pytest.mark.parametrize("rdata", ["x", '"x', 'x"', '"x" y', '"x""y"', '""x""', "", " ", "'x'"])
@pytest.mark.parametrize("where", ["create", "delete"])
def test_r12_txt_must_be_quoted(untouched: Rest, where: str, rdata: str) -> None:
    lists: dict[str, Any] = {where: [row("new", rdata)]}
    response = untouched.change(**lists)
    assert error(response) == REFUSED
    text = "TXT rdata must be enclosed in quotation marks"
    assert response.json()["errors"][0]["message"] == text


@pytest.mark.parametrize("rdata", ['"\\300"', '"\\255"', '"\\1"', '"\\12x"', '"\ud800"'])
def test_r12_an_escape_that_is_none(untouched: Rest, rdata: str) -> None:
    assert error(untouched.change([row("new", rdata)])) == REFUSED


@pytest.mark.parametrize(("kind", "rdata"), [("NS", "ns.example.net."), ("SOA", "a. b. 1 2 3 4 5")])
def test_r13_immutable_records_cannot_be_made(untouched: Rest, kind: str, rdata: str) -> None:
    assert error(untouched.change([row("@", rdata, kind)])) == REFUSED


@pytest.mark.parametrize("kind", ["SOA", "NS"])
def test_r13_immutable_records_cannot_be_deleted(untouched: Rest, kind: str) -> None:
    found = next(record for record in untouched.records() if record["type"] == kind)
    entry = {field: found[field] for field in ("name", "type", "rdata", "ttl")}
    assert error(untouched.change(delete=[entry])) == REFUSED
    assert error(untouched.change(delete=[entry], strict=False)) == REFUSED
    assert len(untouched.records()) == 17


def test_r13_the_zones_own_name_servers_cannot_be_deleted_either(start_rest: StartRest) -> None:
    rest = start_rest(rest_name_match="any-form")
    rest.sandbox.set_zone(DOMAIN, [{"hostname": "@", "type": "NS", "destination": "ns.a.net"}])
    assert error(rest.change(delete=[row("example.com.", "ns.a.net.", "NS", ttl=3600)])) == REFUSED


def test_r14_another_ttl_is_another_record(rest: Rest) -> None:
    assert rest.change([row("@", SPF, ttl=60)], [LIVE_SPF]).status_code == 201
    assert [r["ttl"] for r in rest.records() if r["rdata"] == SPF] == [60]


ONE_STRING, SPLIT = f'"{"a" * 256}"', f'"{"a" * 255}" "a"'


@pytest.mark.parametrize(
    ("taken", "refused"), [("any", []), ("split", [ONE_STRING]), ("one-string", [SPLIT])]
)
def test_r15_a_long_text_is_taken_in_one_string_or_in_several(
    start_rest: StartRest, taken: str, refused: list[str]
) -> None:
    rest = start_rest(rest_txt_taken=taken)
    for rdata in (ONE_STRING, SPLIT):
        answer = rest.change([row(f"new{len(rdata)}", rdata)])
        assert (answer.status_code == 400) == (rdata in refused)
    stored_texts = [record["destination"] for record in rest.sandbox.zone(DOMAIN)]
    assert stored_texts.count("a" * 256) == 2 - len(refused)


def test_a6_one_long_string_may_hold_escapes(rest: Rest) -> None:
    """As the one other client writes every text."""
    text = 'v=DKIM1; n=a \\ and a "quote"; p=' + "A" * 400
    rdata = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert rest.change([row("new", rdata)]).status_code == 201
    assert text in {record["destination"] for record in rest.sandbox.zone(DOMAIN)}


def test_a4_a_list_that_is_left_out_is_empty(rest: Rest) -> None:
    path, switches = rest.path("changeset"), {"autoCommit": True, "strict": True}
    for lists in ({"create": [NEW]}, {"delete": [NEW]}):
        assert rest.send("POST", path, json={**switches, **lists}).status_code == 201
    assert error(rest.send("POST", path, json=switches)) == REFUSED


def test_a4_switch_both_lists_are_needed(start_rest: StartRest) -> None:
    rest = start_rest(rest_left_out="refuse")
    body = {"autoCommit": True, "strict": True, "create": [NEW]}
    assert error(rest.send("POST", rest.path("changeset"), json=body)) == REFUSED
    assert rest.change([NEW]).status_code == 201


def test_a4_switch_a_success_that_says_nothing(start_rest: StartRest) -> None:
    rest = start_rest(rest_changeset_result="null")
    answer = rest.change([NEW]).json()
    assert (answer["success"], answer["result"]) == (True, None)
    assert stored(rest) == [("TXT", '"x"', 300)]


def test_a10_switch_two_ttls_in_one_set_are_refused(start_rest: StartRest) -> None:
    rest = start_rest(rest_mixed_ttls="refuse")
    assert error(rest.change([row("@", '"x"', ttl=300)])) == REFUSED
    assert rest.change([row("@", '"x"', ttl=3600)]).status_code == 201


def test_r15_escapes_count_as_one(rest: Rest) -> None:
    assert rest.change([row("new", '"' + "\\195\\188" * 127 + '"')]).status_code == 201
    assert "ü" * 127 in {record["destination"] for record in rest.sandbox.zone(DOMAIN)}


@pytest.mark.parametrize(
    ("form", "named"), [("one-string", f'"{"a" * 400}"'),
                        ("unquoted", f'"{"a" * 255}" "{"a" * 145}"')],
)  # fmt: skip
def test_r15_long_txt_is_deleted_in_the_form_it_is_shown_in(
    start_rest: StartRest, form: str, named: str
) -> None:
    """Except without quotes, as no such text is let in (R12)."""
    rest = start_rest(rest_txt=form)
    rest.change([row("new", f'"{"a" * 200}" "{"a" * 200}"')])
    assert error(rest.change(delete=[row("new", f'"{"a" * 200}" "{"a" * 200}"')]))[0] == 422
    assert rest.change(delete=[row("new", named)]).status_code == 201
    assert stored(rest) == []
