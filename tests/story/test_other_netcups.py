"""What is assumed of netcup's APIs, and a sandbox that does the opposite of each.

Each time the command ends with the right result, or with a clear error and nothing harmed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.netcup.clouddns import ASSUMPTIONS
from netcup_mailauth.sandbox import Quirks
from tests.apis import CCP, CLOUDDNS, Api
from tests.story.wanted import DMARC, SPF, WISH, txt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netcup_mailauth.sandbox import Sandbox
    from tests.story.inprocess import Cli

APPLY = ("apply", "example.com", *WISH, "--yes")
UNDO = (
    *("undo", "example.com", "--yes", "--allow", "dkim-removes-signing-key"),
    *("--allow", "dmarc-weakens-policy", "--allow", "dmarc-drops-reports"),
)
OVER_A_DRAFT = ("--allow", "zone-has-draft")


@dataclass(frozen=True)
class Netcup:
    """A netcup that is another than assumed, and how a first ``apply`` ends there."""

    assumption: str
    quirks: dict[str, Any]
    code: int = 0
    words: str = ""
    more: tuple[str, ...] = ()
    api: Api = CLOUDDNS

    def __str__(self) -> str:
        return "-".join([self.assumption, *map(str, self.quirks.values())])


OPPOSITES = (
    *(
        Netcup("unknown-domain", {"rest_unknown_domain": answer})
        for answer in ("404", "empty", "null")
    ),
    Netcup("managed", {"rest_managed": "always"}),
    *(
        Netcup("pages", {"rest_most_per_page": most, "rest_pages": pages})
        for most, pages in [(100, "none"), (7, "told"), (7, "no-last-page")]
    ),
    *(Netcup("pages-told", {"rest_pages": told}) for told in ("no-last-page", "untold")),
    Netcup("pages-told", {"rest_per_page": 5, "rest_pages": "no-last-page"}),
    *(
        Netcup("past-the-end", {"rest_past_the_end": end, "rest_pages": pages})
        for end in ("404", "empty", "null")
        for pages in ("untold", "no-last-page")
    ),
    *(
        Netcup(
            "revision-age",
            {
                "rest_revision_age": age,
                "rest_revision_order": order,
                "rest_times": "microseconds",  # two in one second could not be told apart
            },
        )
        for age in ("serial", "date")
        for order in ("oldest-first", "newest-first")
    ),
    Netcup("revision-age", {"rest_times": "seconds"}),
    Netcup("revision-age", {"rest_revision_age": "none"}, 8, "no serial and no date in common"),
    *(
        Netcup("states", {"rest_committed_state": word, "rest_replaced_state": replaced})
        for word in ("committed", "Published")
        for replaced in ("", "superseded", "weg")
    ),
    *(
        Netcup(
            "states",
            {"rest_committed_state": word, "rest_replaced_state": replaced},
            6,
            f"calls the newest revision of the zone example.com '{word}'",
        )
        for word in ("deployed-7", "gültig")
        for replaced in ("", "superseded")
    ),
    *(
        Netcup(
            "states",
            {"rest_committed_state": word, "rest_replaced_state": replaced},
            more=OVER_A_DRAFT,
        )
        for word in ("deployed-7", "gültig")
        for replaced in ("", "superseded")
    ),
    Netcup("states", {"rest_draft_state": "entwurf", "rest_draft": "newest"}, 6, "'entwurf'"),
    Netcup("states", {"rest_draft_state": "entwurf", "rest_draft": "newest"}, more=OVER_A_DRAFT),
    Netcup("one-draft", {"rest_drafts": "many", "rest_draft": "newest"}, more=OVER_A_DRAFT),
    Netcup("write-names-revision", {"rest_changeset_result": "null"}),
    Netcup("write-names-revision", {"rest_changeset_status": 200}),
    Netcup("delete-as-listed", {"rest_name_match": "any-form"}),
    *(Netcup("names", {"rest_names": form}) for form in ("empty", "fqdn", "fqdn-dot")),
    Netcup("txt-read", {"rest_txt": "one-string"}),
    Netcup("txt-read", {"rest_txt": "unquoted"}, 8, "must be enclosed in quotation marks"),
    Netcup("txt-written", {"rest_txt_taken": "split"}),
    Netcup("txt-written", {"rest_txt_taken": "one-string"}, 8, "must be one character string"),
    Netcup("targets", {"rest_targets": "no-dot"}),
    Netcup("immutable", {"rest_mutable": "null"}),
    Netcup("ttl", {"rest_default_ttl": 300}),
    Netcup("one-ttl", {"rest_default_ttl": 300, "rest_mixed_ttls": "refuse"}),
    *(
        Netcup("limit", {"rest_rate": 2, "rest_retry_after": form}, 10, "limit of requests")
        for form in ("seconds", "date", "none")
    ),
)


def _ccp(code: int = 0, words: str = "", **quirks: Any) -> Netcup:
    return Netcup("ccp", quirks, code, words, api=CCP)


OTHER_CCPS = (
    _ccp(compressed="never"),
    _ccp(request_ids="28"),
    *(_ccp(empty_responsedata=empty) for empty in ("null", "list")),
    *(_ccp(update_status=status) for status in ("warning", "pending")),
    *(
        _ccp(code, words, first_call_4001=times, dead_session=text)
        for text in ("format", "not-found")
        for times, code, words in (
            ("once", 0, ""),
            ("always", 1, "netcup ended the session right after a new login"),
        )
    ),
    _ccp(ties="shuffled"),
    *(_ccp(state_field=state) for state in ("always-unknown", "always-yes")),
    _ccp(publish_delay=0.0),
    *(
        _ccp(8, words, txt_limit=255, txt_over_limit=what, on_error=how)
        for how in ("partial", "atomic")
        for what, words in (("refuse", "too long"), ("cut", "should be there"))
    ),
    _ccp(mailcow_split_dkim=True),
)
"""The CCP API in the ways that it was seen to be, or may be."""

ELSEWHERE = {
    "key-refused": ("rest_bad_key",),
    "lists-left-out": ("rest_left_out",),
    "strict": ("rest_strict_miss",),
}
"""Tried below, each by a test of its own."""

BELOW = ("bare_delete", "empty_zone_language", "without_json")

IN_OTHER_MODULES = ("lockout_after", "mailcow_denies_ip", "moved_zone", "wrong_credentials")
"""Switches that a story about something else turns."""


def test_each_assumption_has_its_opposite_and_each_switch_a_client_that_meets_it() -> None:
    assert {netcup.assumption for netcup in OPPOSITES} | ELSEWHERE.keys() == {
        assumption.name for assumption in ASSUMPTIONS
    }
    used = {name for netcup in (*OPPOSITES, *OTHER_CCPS) for name in netcup.quirks}
    used |= {name for names in ELSEWHERE.values() for name in names} | {*BELOW, *IN_OTHER_MODULES}
    assert used == {field.name for field in fields(Quirks)}


def test_the_list_of_assumptions_can_be_read() -> None:
    for assumption in ASSUMPTIONS:
        assert assumption.what.endswith(".")
        assert assumption.proof
        assert assumption.confidence in ("H", "M", "L", "?")
    assert len({assumption.name for assumption in ASSUMPTIONS}) == len(ASSUMPTIONS)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Api:
    netcup = getattr(request.node, "callspec", None) and request.node.callspec.params.get("netcup")
    return netcup.api if netcup else CLOUDDNS


@pytest.fixture
def sandbox(request: pytest.FixtureRequest, api: Api) -> Iterator[Sandbox]:
    """A netcup with the quirks that a test asks for."""
    with api.netcup(quirks=Quirks(**getattr(request, "param", {}))) as running:
        yield running


@pytest.mark.parametrize(
    ("sandbox", "netcup"),
    [(netcup.quirks, netcup) for netcup in (*OPPOSITES, *OTHER_CCPS)],
    indirect=["sandbox"],
    ids=map(str, (*OPPOSITES, *OTHER_CCPS)),
)
def test_another_netcup_gets_what_is_wanted_or_a_clear_error(cli: Cli, netcup: Netcup) -> None:
    others = netcup.api.others(cli.sandbox)
    before = our_texts(cli)
    code, text = cli.said(*APPLY, *netcup.more)
    assert (code, netcup.words in text) == (netcup.code, True), text
    assert "unknown shape" not in text
    assert netcup.api.others(cli.sandbox) == others
    if netcup.code:
        return
    assert_as_wanted(cli)
    code, text = cli.said(*APPLY, *netcup.more)
    assert (code, netcup.api.writes(cli.sandbox)) == (0, 1), text
    code, text = cli.said(*UNDO, *netcup.more)
    assert (code, our_texts(cli)) == (0, before), text
    assert netcup.api.others(cli.sandbox) == others


def our_texts(cli: Cli) -> list[list[str]]:
    return [sorted(txt(cli.sandbox, name)) for name in ("@", "_dmarc", "dkim._domainkey")]


def assert_as_wanted(cli: Cli) -> None:
    assert [t for t in txt(cli.sandbox, "@") if t.startswith("v=spf1")] == [SPF]
    assert txt(cli.sandbox, "_dmarc") == [DMARC]
    (key,) = txt(cli.sandbox, "dkim._domainkey")
    assert key.startswith("v=DKIM1")
    assert len(key) > 255


@pytest.mark.parametrize(
    ("sandbox", "netcup"),
    [(quirks, Netcup("ccp", quirks, api=CCP)) for quirks in (
        {"bare_delete": "refuse"}, {"bare_delete": "accept"}
    )],
    indirect=["sandbox"],
    ids=str,
)  # fmt: skip
def test_a_second_record_is_deleted_whatever_a_delete_has_to_say(cli: Cli, netcup: Netcup) -> None:
    zone = cli.sandbox.zone("example.com")
    second = {"hostname": "@", "type": "TXT", "destination": "v=spf1 mx ~all"}
    cli.sandbox.set_zone("example.com", [*zone, second])
    assert cli.said(*APPLY)[0] == 0
    assert netcup.api.writes(cli.sandbox) == 1
    assert_as_wanted(cli)


@pytest.mark.parametrize(
    ("sandbox", "netcup"),
    [(quirks, Netcup("ccp", quirks, 6, api=CCP)) for quirks in (
        {"empty_zone_language": "english"}, {"empty_zone_language": "german"}
    )],
    indirect=["sandbox"],
    ids=str,
)  # fmt: skip
def test_an_empty_zone_is_one_in_either_language(cli: Cli, netcup: Netcup) -> None:
    cli.sandbox.set_zone("example.com", [])
    apply = ("apply", "example.com", "--dmarc", "v=DMARC1;p=none", "--yes")
    code, text = cli.said(*apply)
    assert (code, "zone-reads-empty" in text) == (netcup.code, True), text
    assert cli.said(*apply, "--allow", "zone-reads-empty")[0] == 0
    assert txt(cli.sandbox, "_dmarc") == ["v=DMARC1;p=none"]


@pytest.mark.parametrize(
    ("sandbox", "netcup", "words"),
    [(quirks, Netcup("ccp", quirks, 1, api=CCP), words) for quirks, words in (
        ({"without_json": "empty"}, "answered with nothing"),
        ({"without_json": "page"}, "answered with an HTML page"),
    )],
    indirect=["sandbox"],
    ids=str,
)  # fmt: skip
def test_an_address_without_json_is_told_as_such(cli: Cli, netcup: Netcup, words: str) -> None:
    cli.set({"NETCUP_CCP_ENDPOINT": cli.sandbox.ccp_endpoint.removesuffix("?JSON")})
    code, text = cli.said(*APPLY)
    assert (code, words in text) == (netcup.code, True), text
    assert "Check NETCUP_CCP_ENDPOINT: netcup's address of this API ends in ?JSON" in text
    assert netcup.api.writes(cli.sandbox) == 0


@pytest.mark.parametrize("action", ["login", "infoDnsRecords"])
@pytest.mark.parametrize("netcup", [Netcup("ccp", {}, 10, api=CCP)], ids=str)
def test_429_is_exit_10_and_lets_everybody_rest(cli: Cli, netcup: Netcup, action: str) -> None:
    cli.sandbox.fault(action, "429", delay=40)
    code, text = cli.said(*APPLY)
    assert (code, "Wait 40 s, as netcup asks" in text) == (netcup.code, True), text
    assert cli.sandbox.stats()["requests"][action] == 1
    assert cli.said(*APPLY)[0] == 0, "and nothing is held against the credentials"


@pytest.mark.parametrize(
    "sandbox",
    [{"rest_unknown_domain": answer} for answer in ("404", "empty", "null")],
    indirect=True,
    ids=str,
)
def test_a_domain_that_the_account_lacks_is_exit_5(cli: Cli) -> None:
    code, text = cli.said("plan", "foreign.de", "--spf", "v=spf1 -all")
    assert code == 5
    assert "foreign.de" in text


@pytest.mark.parametrize("sandbox", [{"rest_managed": "always"}], indirect=True, ids=str)
def test_a_zone_that_is_called_managed_and_is_not_is_exit_5(cli: Cli) -> None:
    cli.sandbox.set_backend("example.com", "ccp")
    code, text = cli.said("plan", "example.com", "--spf", "v=spf1 -all")
    assert code == 5
    assert "The domain may just have been moved" in text


@pytest.mark.parametrize(
    "sandbox", [{"rest_bad_key": status} for status in (400, 401, 403)], indirect=True, ids=str
)
def test_a_refused_key_is_exit_4_by_whatever_status(cli: Cli) -> None:
    cli.set({"NETCUP_REST_API_KEY": "x" * 64})
    for _ in range(2):
        code, text = cli.said(*APPLY)
        assert code == 4, text
    assert sum(cli.sandbox.stats()["requests"].values()) == 1, "it is not tried again"


def test_legos_name_of_the_key_serves_where_there_is_no_other(cli: Cli) -> None:
    others = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")
    cli.set(dict.fromkeys((*others, "NETCUP_REST_API_KEY")))
    assert cli.said("plan", "example.com", "--spf", SPF)[0] == 4
    cli.set({"NETCUPV1_API_KEY": cli.sandbox.rest_key})
    assert cli.said("apply", "example.com", *WISH, "--yes")[0] == 0
    code, text = cli.said("auth", "--check")
    assert code == 0, text
    assert "NETCUPV1_API_KEY, environment" in text


@pytest.mark.parametrize(
    ("sandbox", "code"),
    [({"rest_strict_miss": 422}, 8), ({"rest_strict_miss": 400}, 8),
     ({"rest_strict_miss": "ignore"}, 8)],
    indirect=["sandbox"],
    ids=str,
)  # fmt: skip
def test_a_delete_that_hits_nothing_is_never_called_done(cli: Cli, code: int) -> None:
    """Another program has replaced the record between our read and our write."""
    (spf,) = [r for r in cli.sandbox.zone("example.com") if r["destination"].startswith("v=spf1")]
    rival = {**spf, "destination": "v=spf1 a:rival.example -all"}
    cli.sandbox.fault("changeset", "rival", records=[rival])
    ended, text = cli.said("apply", "example.com", "--spf", SPF, *WISH[2:4], "--yes")
    assert ended == code, text
    assert rival["destination"] in txt(cli.sandbox, "@")


@pytest.mark.parametrize(
    ("sandbox", "code"),
    [({"rest_left_out": "empty"}, 0), ({"rest_left_out": "refuse"}, 8)],
    indirect=["sandbox"],
    ids=str,
)
def test_a_changeset_without_an_empty_list(cli: Cli, code: int) -> None:
    before = CLOUDDNS.records(cli.sandbox)
    ended, text = cli.said("apply", "example.com", "--dmarc", "v=DMARC1;p=none", "--yes")
    assert ended == code, text
    if code:
        assert "The field delete is required" in text
        assert CLOUDDNS.records(cli.sandbox) == before


@pytest.mark.parametrize("ttl", [300, 86_400])
@pytest.mark.parametrize("sandbox", [{"rest_mixed_ttls": "refuse"}], indirect=True, ids=str)
@pytest.mark.parametrize("hostname", ["@", "_dmarc"])
def test_a_new_record_takes_the_ttl_of_the_texts_at_its_name(
    cli: Cli, ttl: int, hostname: str
) -> None:
    beside = [{"hostname": hostname, "type": "TXT", "destination": f"other {n}", "ttl": ttl}
              for n in range(2)]  # fmt: skip
    left = [r for r in cli.sandbox.zone("example.com") if r["type"] != "TXT"]
    cli.sandbox.set_zone("example.com", [*left, *beside])
    assert cli("plan", "example.com", *WISH[:2], *WISH[4:], "--out", "plan.json").code == 0
    planned = {
        c["after"]["hostname"]: c["after"]["ttl"] for c in cli.document["zones"][0]["changes"]
    }
    assert planned == {"@": 3600, "_dmarc": 3600, "dkim._domainkey": 3600, hostname: ttl}
    assert cli("apply", "--plan", "plan.json").code == 0
    rows = [r for r in cli.sandbox.rest_records("example.com") if r["type"] == "TXT"]
    assert {str(r["name"]): r["ttl"] for r in rows} == planned


@pytest.mark.parametrize("sandbox", [{"rest_mixed_ttls": "refuse"}], indirect=True, ids=str)
def test_the_ttl_is_that_of_the_texts_when_it_is_written(cli: Cli) -> None:
    """They may have got another since the plan was made."""
    left = [r for r in cli.sandbox.zone("example.com") if r["type"] != "TXT"]
    beside = {"hostname": "@", "type": "TXT", "destination": "other", "ttl": 300}
    cli.sandbox.set_zone("example.com", [*left, beside])
    assert cli("plan", "example.com", "--spf", SPF, "--out", "plan.json").code == 0
    cli.sandbox.set_zone("example.com", [*left, {**beside, "ttl": 900}])
    code, text = cli.said("apply", "--plan", "plan.json")
    assert code == 0, text
    rows = [r for r in cli.sandbox.rest_records("example.com") if r["type"] == "TXT"]
    assert {r["ttl"] for r in rows} == {900}
