"""Reading and merging records: L14 to L39, where other tools lose or double them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.client import DOMAIN, SPF, Ccp, txt, values

if TYPE_CHECKING:
    from tests.sandbox.conftest import Clock, Start

QUOTATION = (
    "Please put quotation marks in front of a backslash. The name server automatically sets "
    "quotation marks at the beginning and end. "
)
HOSTNAME = "der Host darf nicht leer sein oder aus Sonderzeichen bestehen"


def refused(answer: dict[str, Any]) -> str:
    assert (answer["status"], answer["statuscode"]) == ("error", 4013), answer
    assert answer["shortmessage"] == "Validation Error."
    assert (answer["action"], answer["responsedata"]) == ("updateDnsRecords", "")
    return str(answer["longmessage"])


# What is not there


@pytest.mark.parametrize(
    ("action", "code", "short", "long"),
    [
        (
            "infoDnsZone",
            5031,
            "Getting DNS zone failed",
            "Can not get DNS records for zone.  Domain not found.",
        ),
        (
            "infoDnsRecords",
            5029,
            "Getting DNS records failed",
            "Can not get DNS records for zone. Domain not found.",
        ),
        (
            "updateDnsRecords",
            5028,
            "Update of DNS records failed",
            "Can not update (all) DNS records for zone. The zone foreign.de could not be found.",
        ),
    ],
)
def test_l14_a_foreign_zone(ccp: Ccp, action: str, code: int, short: str, long: str) -> None:
    answer = ccp.call(action, domainname="foreign.de", dnsrecordset={"dnsrecords": []})
    assert (answer["status"], answer["statuscode"]) == ("error", code)
    assert (answer["shortmessage"], answer["longmessage"]) == (short, long)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("english", "The zone does not example.com contain any DNS records."),
        ("german", "Die Zone example.com enthält keine DNS records."),
    ],
)
def test_l15_an_empty_zone_is_an_error(start: Start, language: str, sentence: str) -> None:
    client = start(zones={DOMAIN: []}, empty_zone_language=language)
    answer = client.call("infoDnsRecords", domainname=DOMAIN)
    assert (answer["statuscode"], answer["shortmessage"]) == (5029, "Getting DNS records failed")
    assert answer["longmessage"] == f"Can not get DNS records for zone.  {sentence}"
    assert client.call("infoDnsZone", domainname=DOMAIN)["statuscode"] == 2000


def test_l16_a_zone_on_clouddns_reads_as_empty(start: Start) -> None:
    """The danger: a client that believes it creates everything anew."""
    client = start(clouddns=["moved.de"])
    records = client.call("infoDnsRecords", domainname="moved.de")
    assert records["statuscode"] == 5029
    assert "does not moved.de contain any DNS records" in records["longmessage"]
    assert client.update(txt("@", "x"), domain="moved.de")["statuscode"] == 5028
    assert client.call("infoDnsZone", domainname="moved.de")["statuscode"] == 5031
    client.sandbox.set_backend("moved.de", "ccp")
    assert len(client.records("moved.de")) == 13


@pytest.mark.parametrize(
    ("quirk", "words", "code"),
    [
        ("empty", "does not moved.de contain any", 5031),
        ("not-found", "Domain not found.", 5031),
        ("known", "does not moved.de contain any", 2000),
    ],
)
def test_l16_how_a_zone_on_clouddns_might_be_answered_for(
    start: Start, quirk: str, words: str, code: int
) -> None:
    client = start(clouddns=["moved.de"], moved_zone=quirk)
    records = client.call("infoDnsRecords", domainname="moved.de")
    assert records["statuscode"] == 5029
    assert words in records["longmessage"]
    assert client.update(txt("@", "x"), domain="moved.de")["statuscode"] == 5028
    assert client.call("infoDnsZone", domainname="moved.de")["statuscode"] == code


# What is there


def test_l17_zone_numbers_are_texts(ccp: Ccp) -> None:
    answer = ccp.call("infoDnsZone", domainname=DOMAIN)
    assert (answer["shortmessage"], answer["longmessage"]) == (
        "DNS zone found",
        "DNS zone was found.",
    )
    zone = answer["responsedata"]
    serial = zone.pop("serial")
    assert isinstance(serial, str)
    assert len(serial) == 10
    assert zone == {
        "name": DOMAIN,
        "ttl": "86400",
        "refresh": "28800",
        "retry": "7200",
        "expire": "1209600",
        "dnssecstatus": False,
    }


def test_l18_records_have_seven_keys_in_order(ccp: Ccp) -> None:
    answer = ccp.call("infoDnsRecords", domainname=DOMAIN)
    assert answer["shortmessage"] == "DNS records found"
    assert answer["longmessage"] == "DNS Records for this zone were found."
    assert list(answer["responsedata"]) == ["dnsrecords"]
    for record in answer["responsedata"]["dnsrecords"]:
        assert list(record) == [
            "id",
            "hostname",
            "type",
            "priority",
            "destination",
            "deleterecord",
            "state",
        ]
        assert record.pop("deleterecord") is False
        assert all(isinstance(value, str) for value in record.values())


def test_the_starter_zone_carries_foreign_mail_records(ccp: Ccp) -> None:
    """mailauth.md 0.4: SPF, MX 50 and DKIM CNAMEs of netcup's own web hosting."""
    records = ccp.records()
    assert len(records) == 13
    assert SPF in values(records, "@")
    assert len(values(records, "@")) == 2
    assert values(records, "*", "A") == values(records, "@", "A")
    mx = {r["priority"]: r["destination"] for r in records if r["type"] == "MX"}
    assert mx["10"] == "mail.example.com"
    assert mx["50"].startswith("mx")
    assert mx["50"].endswith(".netcup.net")
    assert values(records, "key2._domainkey", "CNAME") == ["key2._domainkey.webhosting.systems"]
    assert ccp.sandbox.zone(DOMAIN) == records


def test_l19_order_is_by_upper_cased_name_with_underscore_last(ccp: Ccp) -> None:
    answer = ccp.update(txt("_dmarc", "a"), txt("Zebra", "b"), txt("apple", "c"), txt("1a", "d"))
    names = [record["hostname"] for record in answer["responsedata"]["dnsrecords"]]
    assert names == sorted(names, key=str.upper)
    assert (names[0], names[-1]) == ("*", "_dmarc")
    assert answer["responsedata"]["dnsrecords"] == ccp.records()


def test_l19_ties_are_not_in_the_order_of_ids(ccp: Ccp) -> None:
    apex = [int(record["id"]) for record in ccp.records() if record["hostname"] == "@"]
    assert apex != sorted(apex)


def test_l19_switch_ties_are_shuffled(start: Start) -> None:
    client = start(ties="shuffled")
    orders = {tuple(record["id"] for record in client.records()) for _ in range(10)}
    assert len(orders) > 1


# Merging


@pytest.mark.parametrize("no_id", [{}, {"id": ""}, {"id": None}])
def test_l20_create_leaves_all_others_alone(ccp: Ccp, no_id: dict[str, Any]) -> None:
    before = ccp.records()
    answer = ccp.update(txt("_dmarc", "v=DMARC1;p=none", **no_id))
    assert answer["shortmessage"] == "DNS records successful updated"
    assert answer["longmessage"] == "The given DNS records for this zone were updated."
    after = answer["responsedata"]["dnsrecords"]
    assert [record for record in after if record in before] == before
    (new,) = [record for record in after if record not in before]
    assert (new["hostname"], new["type"], new["priority"]) == ("_dmarc", "TXT", "0")


@pytest.mark.parametrize("kind", [str, int])
def test_l20_update_keeps_the_id_and_may_rename(ccp: Ccp, kind: type) -> None:
    old = next(record for record in ccp.records() if record["destination"] == SPF)
    ccp.update(txt("below", "v=spf1 -all", id=kind(old["id"])))
    new = next(record for record in ccp.records() if record["id"] == old["id"])
    assert (new["hostname"], new["destination"]) == ("below", "v=spf1 -all")
    assert len(ccp.records()) == 13


@pytest.mark.parametrize("flag", [True, "true", "TRUE"])
def test_l21_delete_takes_texts_too(ccp: Ccp, flag: object) -> None:
    old = next(record for record in ccp.records() if record["destination"] == SPF)
    answer = ccp.update({**old, "deleterecord": flag})
    assert answer["statuscode"] == 2000
    assert old["id"] not in {record["id"] for record in ccp.records()}


@pytest.mark.parametrize("flag", [False, "false", "FALSE", None])
def test_l21_texts_for_false(ccp: Ccp, flag: object) -> None:
    assert len(ccp.update(txt("a", "b", deleterecord=flag))["responsedata"]["dnsrecords"]) == 14


def test_several_changes_of_all_kinds_in_one_call(ccp: Ccp) -> None:
    """1.6: mixed create, update and delete works."""
    before = ccp.records()
    spf = next(record for record in before if record["destination"] == SPF)
    gone = next(record for record in before if record["priority"] == "50")
    answer = ccp.update(
        txt("_dmarc", "v=DMARC1; p=none"),
        {**spf, "destination": "v=spf1 mx -all"},
        {**gone, "deleterecord": True},
    )
    after = answer["responsedata"]["dnsrecords"]  # L22: the full set
    assert after == ccp.records()
    assert len(after) == 13
    assert values(after, "@", "MX") == ["mail.example.com"]


def test_l23_ids_are_global_and_ascending(start: Start) -> None:
    client = start(("example.com", "example.org"))
    ids: list[int] = []
    for domain in ("example.com", "example.org", "example.com"):
        known = {record["id"] for record in client.records(domain)}
        records = client.update(txt("new", str(len(ids))), domain=domain)["responsedata"]
        ids += [int(r["id"]) for r in records["dnsrecords"] if r["id"] not in known]
    assert ids == sorted(set(ids))
    assert len(ids) == 3


def test_l24_serial_moves_once_per_changing_call(start: Start, clock: Clock) -> None:
    client = start(clock=clock)
    first = client.serial()
    assert first == 2027011501
    client.update(txt("a", "1"), txt("b", "2"))
    assert client.serial() == first + 1
    same = next(record for record in client.records() if record["hostname"] == "a")
    client.update(same)
    client.update()
    assert client.serial() == first + 1
    for number in range(99):
        client.update(txt("c", str(number)))
    assert client.serial() == 2027011601  # past 99 within the day
    clock.now += 86400 * 2
    client.login()
    client.update(txt("d", "1"))
    assert client.serial() == 2027011701


def test_l25_an_unknown_id_is_5028(ccp: Ccp) -> None:
    for entry in (txt("a", "b", id="1"), txt("a", "b", id="1", deleterecord=True)):
        answer = ccp.update(entry)
        assert answer["statuscode"] == 5028
        assert answer["longmessage"].startswith("Can not update (all) DNS records for zone. ")
    assert len(ccp.records()) == 13


def test_l26_an_exact_duplicate_is_a_second_row(ccp: Ccp) -> None:
    assert ccp.update(txt("@", SPF))["statuscode"] == 2000
    assert values(ccp.records(), "@").count(SPF) == 2


def test_l27_an_empty_list_changes_nothing(ccp: Ccp) -> None:
    before = ccp.records()
    assert ccp.update()["statuscode"] == 2000
    assert ccp.records() == before


@pytest.mark.parametrize("record_set", [None, [], {}, {"dnsrecords": {}}, {"dnsrecords": "x"}])
def test_no_list_at_all_is_4013(ccp: Ccp, record_set: object) -> None:
    answer = ccp.call("updateDnsRecords", domainname=DOMAIN, dnsrecordset=record_set)
    assert answer["statuscode"] == 4013


@pytest.mark.parametrize(("quirk", "code"), [("refuse", 4013), ("accept", 2000)])
@pytest.mark.parametrize("rest", [{}, {"hostname": "", "type": "", "destination": ""}])
def test_l28_delete_with_only_an_id(
    start: Start, quirk: str, code: int, rest: dict[str, Any]
) -> None:
    client = start(bare_delete=quirk)
    number = client.records()[0]["id"]
    assert client.update({"id": number, "deleterecord": True, **rest})["statuscode"] == code


@pytest.mark.parametrize(("quirk", "applied"), [("partial", ["one"]), ("atomic", [])])
@pytest.mark.parametrize(
    ("bad", "code"), [(txt("a", 'x"y'), 4013), (txt("a", "b", id="1"), 5028)], ids=["4013", "5028"]
)
def test_l29_how_far_a_refused_call_gets(
    start: Start, quirk: str, applied: list[str], bad: dict[str, Any], code: int
) -> None:
    client = start(on_error=quirk)
    answer = client.update(txt("new", "one"), bad, txt("new", "two"))
    assert answer["statuscode"] == code
    assert values(client.records(), "new") == applied


# Values


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@x.de!10m", None),
        ("100% of a+b/c, (d) <e> [f] {g} #h ~i *j", None),
        (" leading, in  between and trailing ", None),
        ("é and 日本", None),
        ("x" * 800, None),
        ("back\\slash", "backslash"),
        ('escaped \\"quote\\"', 'escaped "quote"'),
        ("it's", "its"),
    ],
)
def test_l30_txt_is_stored_bare_and_partly_altered(ccp: Ccp, sent: str, stored: str | None) -> None:
    ccp.update(txt("new", sent))
    assert values(ccp.records(), "new") == [sent if stored is None else stored]


@pytest.mark.parametrize("text", ['"quoted"', 'a"b', '"aaa" "bbb"', 'a\\\\"b'])
def test_l30_txt_with_a_bare_quote_is_refused(ccp: Ccp, text: str) -> None:
    assert refused(ccp.update(txt("new", text))) == QUOTATION


@pytest.mark.parametrize("text", ["", None, 7])
def test_l30_empty_txt_is_refused(ccp: Ccp, text: object) -> None:
    refused(ccp.update({"hostname": "new", "type": "TXT", "destination": text}))


def test_l30_switch_txt_limit(start: Start) -> None:
    client = start(txt_limit=255)
    assert client.update(txt("new", "x" * 255))["statuscode"] == 2000
    refused(client.update(txt("new", "x" * 256)))
    cutting = start(txt_limit=255, txt_over_limit="cut")
    cutting.update(txt("new", "x" * 256))
    assert values(cutting.records(), "new") == ["x" * 255]


@pytest.mark.parametrize("target", ["10 mail.example.com.", "10 mail", ".", ""])
def test_l31_mx_with_a_priority_in_it_is_refused(ccp: Ccp, target: str) -> None:
    answer = ccp.update({"hostname": "@", "type": "MX", "priority": 1, "destination": target})
    assert refused(answer) == (
        "MX record destination is incorrect. An example of a correct entry: mail.example.com. "
    )


@pytest.mark.parametrize("kind", ["MX", "CNAME"])
def test_l31_a_trailing_dot_is_gone_on_read(ccp: Ccp, kind: str) -> None:
    ccp.update({"hostname": "new", "type": kind, "destination": "mail.example.org."})
    assert values(ccp.records(), "new", kind) == ["mail.example.org"]


@pytest.mark.parametrize("hostname", ["", None, "a b", "a!b", "ü", "a..b", ".a", "a.*", "x.de."])
def test_l32_a_bad_hostname_is_refused_in_german(ccp: Ccp, hostname: object) -> None:
    answer = ccp.update({"hostname": hostname, "type": "TXT", "destination": "x"})
    assert HOSTNAME in refused(answer)


def test_l32_messages_are_joined_by_a_blank(ccp: Ccp) -> None:
    answer = ccp.update(txt("", '"a"'), txt("b", '"c"'))
    assert refused(answer) == f"{HOSTNAME} {QUOTATION} {QUOTATION}"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("_acme-challenge.example.com.", "_acme-challenge"),
        ("example.com.", "@"),
        ("Sub.EXAMPLE.com.", "Sub"),
        ("x.example.com", "x.example.com"),
        ("*.sub", "*.sub"),
        ("*", "*"),
        ("sel._domainkey.Deep", "sel._domainkey.Deep"),
    ],
)
def test_l33_absolute_names_are_stored_relative(ccp: Ccp, sent: str, stored: str) -> None:
    ccp.update(txt(sent, "here"))
    assert "here" in values(ccp.records(), stored)


def test_l34_ns_is_accepted_but_not_stored(ccp: Ccp) -> None:
    answer = ccp.update({"hostname": "sub", "type": "NS", "destination": "ns.example.org"})
    assert answer["statuscode"] == 2000
    assert values(ccp.records(), "sub", "NS") == []


def test_l35_caa_with_parameters_is_refused(ccp: Ccp) -> None:
    plain = '0 issue "letsencrypt.org"'
    ccp.update({"hostname": "@", "type": "CAA", "destination": plain})
    assert values(ccp.records(), "@", "CAA") == [plain]
    refused(ccp.update({"hostname": "@", "type": "CAA", "destination": '0 issue "a; b=c"'}))


@pytest.mark.parametrize("priority", [{}, {"priority": ""}, {"priority": None}, {"priority": 0}])
def test_l36_priority_is_0_by_default(ccp: Ccp, priority: dict[str, Any]) -> None:
    ccp.update(txt("new", "x", **priority))
    (record,) = [record for record in ccp.records() if record["hostname"] == "new"]
    assert record["priority"] == "0"


@pytest.mark.parametrize(
    "entry",
    [
        txt("a", "b", priority="high"),
        txt("a", "b", priority=-1),
        txt("a", "b", priority=70000),
        txt("a", "b", id="abc"),
        txt("a", "b", id=True),
        txt("a", "b", id="0"),
        txt("a", "b", deleterecord="perhaps"),
        txt("a", "b", deleterecord=2),
        {**txt("a", "b"), "type": "PTR"},
        {**txt("a", "b"), "type": "txt"},
        {**txt("a", "b"), "type": None},
        {**txt("a", "b"), "type": "A"},
        {**txt("a", "192.0.2.1"), "type": "AAAA"},
        {**txt("a", "two words"), "type": "CNAME"},
        "text",
        None,
        [],
    ],
)
def test_fields_that_cannot_be_are_4013(ccp: Ccp, entry: object) -> None:
    refused(ccp.update(entry))
    assert len(ccp.records()) == 13


def test_l37_state_is_unknown_until_published(start: Start, clock: Clock) -> None:
    client = start(clock=clock, publish_delay=600.0)
    client.update(txt("new", "x"))
    states = {record["hostname"]: record["state"] for record in client.records()}
    assert (states["new"], states["www"]) == ("unknown", "yes")
    clock.now += 600
    assert {record["state"] for record in client.records()} == {"yes"}


@pytest.mark.parametrize(("quirk", "state"), [("always-unknown", "unknown"), ("always-yes", "yes")])
def test_l37_switch_state_says_nothing(start: Start, quirk: str, state: str) -> None:
    client = start(state_field=quirk)
    client.update(txt("new", "x"))
    assert {record["state"] for record in client.records()} == {state}


# Guesses that have a switch


def test_another_type_under_the_same_id_is_refused(ccp: Ccp) -> None:
    number = next(r["id"] for r in ccp.records() if r["hostname"] == "www")
    assert ccp.update(txt("www", "x", id=number))["statuscode"] == 5028


def test_b4_a_cname_is_stored_beside_other_records(ccp: Ccp) -> None:
    assert ccp.update(txt("KEY1._domainkey", "x"))["statuscode"] == 2000
    cname = {"hostname": "mail", "type": "CNAME", "destination": "@"}
    assert ccp.update(cname)["statuscode"] == 2000


@pytest.mark.parametrize(("quirk", "code"), [("warning", 2000), ("pending", 2002)])
def test_a_write_may_be_no_clean_success(start: Start, quirk: str, code: int) -> None:
    answer = start(update_status=quirk).update(txt("a", "b"))
    assert (answer["status"], answer["statuscode"]) == (quirk, code)


def test_upper_case_domain_names_come_back_so(ccp: Ccp) -> None:
    answer = ccp.call("infoDnsZone", domainname="EXAMPLE.com")
    assert answer["responsedata"]["name"] == "EXAMPLE.com"
    assert len(ccp.records("Example.Com")) == 13
