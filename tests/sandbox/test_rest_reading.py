"""What the REST API tells: key, envelope, domains, revisions, records (R1-R4, R10-R16)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.dnsclient import answers, ask
from tests.sandbox.rest_client import DOMAIN, SPF, Rest, error, rdatas, row

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clock, StartRest

LONG = "v=DKIM1;k=rsa;p=" + "A" * 500


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer ü"]
)
@pytest.mark.parametrize("path", ["/domain", "/domain/1/dns/revision", "/nothing"])
def test_r1_a_bad_key_is_400(untouched: Rest, authorization: str, path: str) -> None:
    header = authorization.format(untouched.sandbox.rest_key).encode()
    response = untouched.send("GET", path, headers={"Authorization": header})
    assert error(response) == (400, "authenticationError")
    text = "Authentication token is not valid or has expired."
    assert response.json()["errors"][0]["message"] == text


def test_r1_the_legacy_key_opens_nothing(untouched: Rest) -> None:
    headers = {"Authorization": f"Bearer {untouched.sandbox.env['NETCUP_API_KEY']}"}
    assert error(untouched.send("GET", "/domain", headers=headers)) == (400, "authenticationError")


def test_r2_envelope(untouched: Rest) -> None:
    response = untouched.get("/domain", fqdn=DOMAIN)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {
        "success": True,
        "errors": [],
        "messages": [],
        "meta": {"pagination": {"page": 1, "perPage": 50, "totalEntries": 1, "lastPage": 1}},
        "result": [{"id": untouched.number(), "fqdn": DOMAIN, "isDnsManaged": True}],
    }


def test_r2_unknown_paths_and_methods_come_in_the_envelope(untouched: Rest) -> None:
    assert error(untouched.get("/nothing")) == (404, "resourceDoesNotExist")
    assert error(untouched.send("POST", "/domain", json={})) == (405, "methodNotAllowed")


@pytest.mark.parametrize(
    ("fqdn", "expected"),
    [
        ("foreign.de", (404, "resourceDoesNotExist")),
        ("mail.example.com", (404, "resourceDoesNotExist")),
        ("_dmarc.example.com", (400, "validationError")),
        ("a_b.de", (400, "validationError")),
        ("", (400, "validationError")),
        ("com", (400, "validationError")),
        ("bücher.de", (400, "validationError")),
    ],
)
def test_r3_other_names(untouched: Rest, fqdn: str, expected: tuple[int, str]) -> None:
    assert error(untouched.get("/domain", fqdn=fqdn)) == expected


def test_r3_names_are_found_in_any_case(untouched: Rest) -> None:
    assert untouched.get("/domain", fqdn="Example.COM").json()["result"][0]["fqdn"] == DOMAIN


def test_r4_a_zone_on_the_ccp_is_known_but_not_managed(start_rest: StartRest) -> None:
    rest = start_rest(domains=["example.org"])
    listed = {d["fqdn"]: d["isDnsManaged"] for d in rest.get("/domain").json()["result"]}
    assert listed == {DOMAIN: True, "example.org": False}
    path = rest.path("dns/revision", "example.org")
    assert error(rest.get(path)) == (404, "resourceDoesNotExist")
    response = rest.change([row("new", '"x"')], domain="example.org")
    assert error(response) == (404, "resourceDoesNotExist")


def test_r10_a_revision(untouched: Rest) -> None:
    (revision,) = untouched.revisions()
    assert list(revision) == ["identifier", "createdAt", "modifiedAt", "state", "serial"]
    assert revision["state"] == "committed"
    assert str(revision["serial"]) == untouched.sandbox.stats()["serials"][DOMAIN]


def test_r10_records(untouched: Rest) -> None:
    records = untouched.records()
    fields = ["identifier", "name", "type", "rdata", "ttl", "immutable"]
    assert all(list(record) == fields for record in records)
    assert SPF in rdatas(records, "@")
    assert rdatas(records, "@", "MX")[0] == "10 mail.example.com."
    assert rdatas(records, "www", "CNAME") == ["example.com."]
    assert rdatas(records, "mail", "A") == ["203.0.113.25"]


def test_r10_identifiers_are_others_in_every_revision(rest: Rest) -> None:
    before = rest.records()
    rest.change([row("new", '"x"')])
    after = rest.records()
    seen = [record["identifier"] for record in before + after]
    assert len(set(seen)) == len(before) + len(after) == 2 * len(before) + 1


def test_r10_pages(start_rest: StartRest) -> None:
    rest = start_rest(rest_per_page=3)
    for number in range(6):
        rest.change([row("new", f'"{number}"')])
    path = rest.path("dns/revision")
    pages = [rest.get(path, page=page).json() for page in (1, 2, 3)]
    assert [len(page["result"]) for page in pages] == [3, 3, 1]
    assert pages[1]["meta"]["pagination"] == {
        "page": 2,
        "perPage": 3,
        "totalEntries": 7,
        "lastPage": 3,
    }
    beyond = rest.get(path, page=4)
    assert error(beyond) == (404, "resourceDoesNotExist")
    text = "No results found, the page number may be too high."
    assert beyond.json()["errors"][0]["message"] == text
    assert len(rest.get(path, perPage=100).json()["result"]) == 7


@pytest.mark.parametrize(
    ("pages", "told", "given"),
    [
        ("told", ["page", "perPage", "totalEntries", "lastPage"], 7),
        ("no-last-page", ["page", "perPage", "totalEntries"], 7),
        ("untold", None, 7),
        ("none", None, 17),
    ],
)
def test_a2_switch_what_is_said_about_pages(
    start_rest: StartRest, pages: str, told: list[str] | None, given: int
) -> None:
    rest = start_rest(rest_pages=pages, rest_most_per_page=10)
    path = rest.path(f"dns/revision/{rest.revisions()[0]['identifier']}/record")
    answer = rest.get(path, page=2, perPage=100).json()
    assert (answer["meta"] and list(answer["meta"]["pagination"])) == told
    assert len(answer["result"]) == given


@pytest.mark.parametrize(("past", "result"), [("empty", []), ("null", None)])
def test_r3_switch_past_the_end(start_rest: StartRest, past: str, result: object) -> None:
    rest = start_rest(rest_past_the_end=past)
    answer = rest.get(rest.path("dns/revision"), page=2)
    assert (answer.status_code, answer.json()["result"]) == (200, result)


@pytest.mark.parametrize(("unknown", "result"), [("empty", []), ("null", None)])
def test_r3_switch_an_unknown_name_is_a_success_without_it(
    start_rest: StartRest, unknown: str, result: object
) -> None:
    rest = start_rest(rest_unknown_domain=unknown)
    answer = rest.get("/domain", fqdn="foreign.de").json()
    assert (answer["success"], answer["result"]) == (True, result)
    assert rest.get("/domain", fqdn=DOMAIN).json()["result"][0]["fqdn"] == DOMAIN


def test_r4_switch_every_domain_is_called_managed(start_rest: StartRest) -> None:
    rest = start_rest(domains=["example.org"], rest_managed="always")
    assert {d["isDnsManaged"] for d in rest.get("/domain").json()["result"]} == {True}


@pytest.mark.parametrize("status", [401, 403])
def test_r1_switch_a_bad_key(start_rest: StartRest, status: int) -> None:
    rest = start_rest(rest_bad_key=status)
    response = rest.send("GET", "/domain", headers={"Authorization": "Bearer x"})
    assert error(response) == (status, "unauthorized")


def test_switch_targets_without_a_dot(start_rest: StartRest) -> None:
    records = start_rest(rest_targets="no-dot").records()
    assert rdatas(records, "@", "MX")[0] == "10 mail.example.com"
    assert rdatas(records, "www", "CNAME") == ["example.com"]


@pytest.mark.parametrize(("asked", "given"), [(100, 100), (1000, 100), (1, 1)])
def test_r10_at_most_100_per_page(untouched: Rest, asked: int, given: int) -> None:
    pagination = untouched.get(untouched.path("dns/revision"), perPage=asked).json()["meta"][
        "pagination"
    ]
    assert pagination["perPage"] == given


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"perPage": -1}, {"perPage": ""}])
def test_r10_a_page_that_is_none(untouched: Rest, query: dict[str, object]) -> None:
    assert error(untouched.get(untouched.path("dns/revision"), **query)) == (400, "validationError")


def test_r10_records_come_by_pages_too(start_rest: StartRest) -> None:
    rest = start_rest(rest_per_page=10)
    path = rest.path(f"dns/revision/{rest.revisions()[0]['identifier']}/record")
    first, second = (rest.get(path, page=page).json()["result"] for page in (1, 2))
    everything = rest.get(path, perPage=100).json()["result"]
    assert first + second == everything
    assert len(first) == 10


@pytest.mark.parametrize("revision", ["nothing", "a37b2640-957c-40fc-82a9-f2795ee1507b", "%2F"])
def test_r10_no_such_revision(untouched: Rest, revision: str) -> None:
    path = untouched.path(f"dns/revision/{revision}/record")
    assert error(untouched.get(path)) == (404, "resourceDoesNotExist")


@pytest.mark.parametrize(("order", "newest"), [("oldest-first", -1), ("newest-first", 0)])
def test_r10_switch_order(start_rest: StartRest, order: str, newest: int) -> None:
    rest = start_rest(rest_revision_order=order)
    made = rest.change([row("new", '"x"')]).json()["result"]
    assert rest.revisions()[newest] == made


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("seconds", "2027-01-15T08:00:00+00:00"),
        ("microseconds", "2027-01-15T08:00:00.250000+00:00"),
    ],
)
def test_switch_times(start_rest: StartRest, clock: Clock, times: str, expected: str) -> None:
    clock.now += 0.25
    rest = start_rest(rest_times=times, clock=clock)
    assert rest.revisions()[0]["createdAt"] == expected


def test_r11_switch_states(start_rest: StartRest) -> None:
    rest = start_rest(rest_committed_state="active", rest_draft_state="open")
    rest.change([row("new", '"x"')], autoCommit=False)
    assert [revision["state"] for revision in rest.revisions()] == ["active", "open"]


def test_r11_switch_a_draft_lies_on_top_of_each_state(start_rest: StartRest) -> None:
    """In it all TXT are gone: who takes it for the live zone would create everything anew."""
    rest = start_rest(rest_draft="newest")
    for count in (1, 2):
        revisions = rest.revisions()
        assert [r["state"] for r in revisions] == ["committed"] * count + ["draft"]
        assert max(revisions, key=lambda r: r["createdAt"])["state"] == "draft"
        assert rdatas(rest.records(), "@") == []
        rest.change([row("new", f'"{count}"')])
    assert SPF in {record["rdata"] for record in rest.sandbox.rest_records(DOMAIN)}


@pytest.mark.parametrize(("drafts", "left"), [("one", 1), ("many", 2)])
def test_a5_a_new_draft_takes_the_place_of_the_old(
    start_rest: StartRest, drafts: str, left: int
) -> None:
    rest = start_rest(rest_drafts=drafts)
    for name in ("new", "newer"):
        rest.change([row(name, '"x"')], autoCommit=False)
    assert [r["state"] for r in rest.revisions()] == ["committed"] + ["draft"] * left


def test_r11_switch_what_was_committed_before_has_another_state(start_rest: StartRest) -> None:
    rest = start_rest(rest_replaced_state="superseded")
    rest.change([row("new", '"x"')])
    rest.change([row("newer", '"x"')], autoCommit=False)
    assert [r["state"] for r in rest.revisions()] == ["superseded", "committed", "draft"]


@pytest.mark.parametrize("age", ["both", "serial", "date", "none"])
def test_switch_what_tells_the_age(start_rest: StartRest, age: str) -> None:
    (revision,) = start_rest(rest_revision_age=age).revisions()
    assert (revision["serial"] is not None) == (age in ("both", "serial"))
    assert (revision["createdAt"] is not None) == (age in ("both", "date"))


def test_r13_soa_and_ns_are_immutable(untouched: Rest) -> None:
    records = untouched.records()
    fixed = [(r["name"], r["type"]) for r in records if r["immutable"]]
    assert fixed == [("@", "SOA"), ("@", "NS"), ("@", "NS"), ("@", "NS")]
    assert rdatas(records, "@", "NS")[0] == "root-dns.netcup.net."
    (soa,) = rdatas(records, "@", "SOA")
    assert soa.split()[2] == str(untouched.revisions()[0]["serial"])


def test_r13_a_zone_with_its_own_name_servers(rest: Rest) -> None:
    records = [{"hostname": "@", "type": "NS", "destination": "ns.example.net"}]
    rest.sandbox.set_zone(DOMAIN, records)
    assert [(r["rdata"], r["immutable"]) for r in rest.records()[1:]] == [("ns.example.net.", True)]


@pytest.mark.parametrize(("quirk", "flag"), [("false", False), ("null", None)])
def test_r13_switch_mutable(start_rest: StartRest, quirk: str, flag: object) -> None:
    records = start_rest(rest_mutable=quirk).records()
    assert [record["immutable"] for record in records] == [True] * 4 + [flag] * 13


def test_r14_records_have_3600_or_their_own_ttl(rest: Rest) -> None:
    rest.change([row("new", '"x"', ttl=60)])
    ttls = {record["name"]: record["ttl"] for record in rest.records() if not record["immutable"]}
    assert ttls.pop("new") == 60
    assert set(ttls.values()) == {3600}


def test_r14_switch_ttl(start_rest: StartRest) -> None:
    ttls = {r["ttl"] for r in start_rest(rest_default_ttl=300).records() if not r["immutable"]}
    assert ttls == {300}


@pytest.mark.parametrize(
    ("form", "apex", "host"),
    [
        ("@", "@", "mail"),
        ("empty", "", "mail"),
        ("fqdn", "example.com", "mail.example.com"),
        ("fqdn-dot", "example.com.", "mail.example.com."),
    ],
)
def test_switch_names(start_rest: StartRest, form: str, apex: str, host: str) -> None:
    records = start_rest(rest_names=form).records()
    assert {record["name"] for record in records if record["type"] == "MX"} == {apex}
    assert host in {record["name"] for record in records if record["type"] == "A"}


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("split", f'"{LONG[:255]}" "{LONG[255:510]}" "{LONG[510:]}"'),
        ("one-string", f'"{LONG}"'),
        ("unquoted", LONG),
    ],
)
def test_r15_switch_long_txt_is_shown(start_rest: StartRest, form: str, shown: str) -> None:
    rest = start_rest(rest_txt=form)
    sent = f'"{LONG[:200]}" "{LONG[200:400]}" "{LONG[400:]}"'  # a split of its own
    assert rest.change([row("new", sent)]).status_code == 201
    assert rdatas(rest.records(), "new") == [shown]


@pytest.mark.parametrize("form", ["split", "one-string", "unquoted"])
def test_r15_a_text_that_came_by_the_ccp_is_always_shown(start_rest: StartRest, form: str) -> None:
    rest = start_rest(rest_txt=form)
    entry = {"hostname": "new", "type": "TXT", "destination": "half \ud800 a character"}
    rest.sandbox.set_zone(DOMAIN, [entry])
    assert rest.records()[-1]["name"] == "new"


@pytest.mark.parametrize("form", ["seconds", "date", "none"])
def test_r16_switch_rate(start_rest: StartRest, clock: Clock, form: str) -> None:
    rest = start_rest(rest_rate=2, rest_retry_after=form, clock=clock)
    rest.get("/domain")
    clock.now += 20
    rest.get("/domain")
    refused = rest.get("/domain")
    assert error(refused) == (429, "rateLimitExceeded")
    header: Any = refused.headers.get("Retry-After")
    if form == "date":
        header = parsedate_to_datetime(header).timestamp() - clock.now
    assert header == {"seconds": "40", "date": 40.0, "none": None}[form]
    clock.now += 40
    assert rest.get("/domain").status_code == 200


def test_r16_no_limit_by_default(untouched: Rest) -> None:
    assert {untouched.get("/domain").status_code for _ in range(200)} == {200}


VALUE = "A-b_" + "c" * 39


def test_r5_acme_challenge(start_rest: StartRest, clock: Clock) -> None:
    rest = start_rest(clock=clock)
    path = rest.path("acme/challenge")
    made = rest.send("POST", path, json={"scope": "host", "value": VALUE})
    entry = {"scope": "host", "fqdn": "_acme-challenge.host.example.com", "value": VALUE}
    assert (made.status_code, made.json()["result"]) == (201, [{**entry, "status": "pending"}])
    clock.now += 2
    again = rest.send("POST", path, json={"scope": "host", "value": VALUE})
    assert (again.status_code, again.json()["result"]) == (200, [{**entry, "status": "deployed"}])
    assert rest.get(path).json()["result"] == again.json()["result"]
    assert rest.get(f"{path}/host/{VALUE}").json()["result"] == again.json()["result"]


@pytest.mark.parametrize(("scope", "host"), [("@", ""), ("host", "host."), ("a.b", "a.b.")])
def test_r5_name_servers_serve_a_challenge_beside_the_zone_s_own(
    rest: Rest, scope: str, host: str
) -> None:
    name, path = f"_acme-challenge.{host}{DOMAIN}", rest.path("acme/challenge")
    servers, before = rest.sandbox.nameservers, len(rest.revisions())
    rest.send("POST", path, json={"scope": scope, "value": VALUE})
    rest.send("POST", path, json={"scope": scope, "value": "d" * 43})
    for server in (*servers, rest.sandbox.resolver):
        told = answers(ask(server, name, "TXT"), "TXT")
        assert sorted(told) == [VALUE, "d" * 43]
    assert len(rest.revisions()) == before  # they are in no zone
    rest.send("DELETE", f"{path}/{scope}/{VALUE}")
    assert answers(ask(servers[0], name, "TXT"), "TXT") == ["d" * 43]
    rest.sandbox.reset()
    assert answers(ask(servers[0], name, "TXT"), "TXT") == []


def test_r5_a_challenge_reaches_the_name_servers_late(start_rest: StartRest, clock: Clock) -> None:
    rest = start_rest(publish_delays=(0, 5, 5), clock=clock)
    rest.send("POST", rest.path("acme/challenge"), json={"scope": "@", "value": VALUE})
    early, late, _ = rest.sandbox.nameservers
    name = f"_acme-challenge.{DOMAIN}"
    assert [len(answers(ask(server, name, "TXT"), "TXT")) for server in (early, late)] == [1, 0]
    clock.now += 5
    assert len(answers(ask(late, name, "TXT"), "TXT")) == 1


@pytest.mark.parametrize(
    "body", [{}, [], {"scope": "@", "value": "v=spf1"}, {"scope": "@", "value": "x" * 44},
             {"scope": "a b", "value": VALUE}, {"scope": None, "value": VALUE}],
)  # fmt: skip
def test_r6_acme_value_is_43_characters(untouched: Rest, body: object) -> None:
    response = untouched.send("POST", untouched.path("acme/challenge"), json=body)
    assert error(response) == (400, "validationError")


def test_r7_acme_delete(rest: Rest) -> None:
    path = rest.path("acme/challenge")
    rest.send("POST", path, json={"scope": "@", "value": VALUE})
    deleted = rest.send("DELETE", f"{path}/@/{VALUE}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "Content-Length" not in deleted.headers
    again = rest.send("DELETE", f"{path}/@/{VALUE}")
    assert error(again) == (404, "resourceDoesNotExist")
    assert again.json()["errors"][0]["message"] == "No result was found."
    assert error(rest.get(path)) == (404, "resourceDoesNotExist")
