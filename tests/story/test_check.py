"""``check`` names what is wrong, tells what only lags, and stays quick when a server does not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.dnsio import lanes, servers
from netcup_mailauth.sandbox import Sandbox
from tests.apis import CCP
from tests.core.judge.cases import key_record
from tests.worlds import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.story.inprocess import Cli, PointedAt


Records = list[dict[str, Any]]

KEY, OTHER_KEY = key_record(), key_record(number=2)
SPF = "v=spf1 mx -all"
DMARC = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
WISH = ("--spf", SPF, "--dkim", KEY, "--dmarc", DMARC)


def record(hostname: str, kind: str, value: str, priority: str = "0") -> dict[str, Any]:
    return {"hostname": hostname, "type": kind, "priority": priority, "destination": value}


CLEAN = [
    record("@", "A", "203.0.113.10"),
    record("mail", "A", "203.0.113.25"),
    record("mail", "AAAA", "2001:db8::25"),
    record("autodiscover", "CNAME", "mail.example.com"),
    record("@", "MX", "mail.example.com", "10"),
    record("@", "TXT", SPF),
    record("@", "TXT", "some-verification=0123"),
    record("dkim._domainkey", "TXT", KEY),
    record("_dmarc", "TXT", DMARC),
]


def text(begins: str, new: str) -> Callable[[Records], Records]:
    """Another text in the TXT record that begins so."""
    return lambda records: [
        {**r, "destination": new} if r["destination"].startswith(begins) else r for r in records
    ]


def beside(hostname: str, value: str) -> Callable[[Records], Records]:
    return lambda records: [*records, record(hostname, "TXT", value)]


def cname(hostname: str, target: str) -> Callable[[Records], Records]:
    return lambda records: [
        *(r for r in records if r["hostname"] != hostname),
        record(hostname, "CNAME", target),
    ]


def renamed(old: str, new: str) -> Callable[[Records], Records]:
    return lambda records: [{**r, "hostname": new} if r["hostname"] == old else r for r in records]


MANY = [f"{number}.spf.example.net" for number in range(10)]


@dataclass(frozen=True)
class Fault:
    """A zone with one fault.

    ``state`` is the state of the record when the clean one is wanted, ``code`` a finding that
    names the fault, ``alone`` what names it where nothing is wanted: ``code`` if it is ``True``,
    another word, or ``None`` if nobody can see it from the records alone.
    """

    name: str
    make: Callable[[Records], Records]
    kind: str
    state: str
    code: str | None = None
    alone: str | bool | None = True
    wish: Mapping[str, str] = field(default_factory=dict)
    """What is wanted instead, where the fault is in what is wanted."""
    world: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        wish = {"--spf": SPF, "--dkim": KEY, "--dmarc": DMARC, **self.wish}
        return tuple(word for pair in wish.items() for word in pair)


ELEVEN = f"v=spf1 {' '.join(f'include:{name}' for name in MANY)} mx -all"
VOID = "v=spf1 include:gone.example.net include:gone.example.org mx -all"
ABROAD = DMARC.replace("@example.com", "@example.net")
MISSPELT = DMARC.replace("quarantine", "quarantaine")

FAULTS = (
    Fault("wrong-key", text("v=DKIM1", OTHER_KEY), "dkim", "wrong", "dkim-key-mismatch", None),
    Fault("cut-off-key", text("v=DKIM1", KEY[:255]), "dkim", "wrong", "dkim-syntax"),
    Fault("revoked", text("v=DKIM1", "v=DKIM1;p="), "dkim", "wrong", "dkim-revokes-key"),
    Fault("two-spf", beside("@", "v=spf1 a ~all"), "spf", "conflict", "spf-multiple"),
    Fault("two-dmarc", beside("_dmarc", "v=DMARC1;p=none"), "dmarc", "conflict", "dmarc-multiple"),
    Fault(
        "eleven-look-ups",
        text("v=spf1", ELEVEN),
        "spf",
        "ok",
        "spf-too-many-lookups",
        wish={"--spf": ELEVEN},
        world=dict.fromkeys(MANY, "v=spf1 ip4:198.51.100.7 -all"),
    ),
    Fault("void", text("v=spf1", VOID), "spf", "ok", "spf-void-lookups", wish={"--spf": VOID}),
    Fault("bad-cidr", text("v=spf1", "v=spf1 mx ip4:203.0.113.0/33 -all"), "spf", "wrong",
          "spf-syntax"),
    Fault("cname-at-dmarc", cname("_dmarc", "policy.example.net"), "dmarc", "conflict",
          alone="conflict"),
    Fault("cname-at-selector", cname("dkim._domainkey", "gone.example.net"), "dkim", "conflict",
          alone="conflict"),
    Fault("no-underscore", renamed("dkim._domainkey", "dkim.domainkey"), "dkim", "missing",
          "misplaced-record"),
    Fault("policy-misspelt", text("v=DMARC1", MISSPELT), "dmarc", "wrong", "dmarc-syntax"),
    Fault("not-authorised", text("v=DMARC1", ABROAD), "dmarc", "ok",
          "dmarc-report-not-authorised", wish={"--dmarc": ABROAD}),
)  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Iterator[Sandbox]:
    with Sandbox([], zones={"example.com": CLEAN, "example.org": CLEAN}) as running:
        yield running


@dataclass
class Checks:
    """``check`` in this process, against a sandbox."""

    cli: Cli
    stderr: str = ""

    @property
    def sandbox(self) -> Sandbox:
        return self.cli.sandbox

    def show(self, records: Records, world: Mapping[str, str] | None = None) -> None:
        self.sandbox.reset()
        self.sandbox.set_zone("example.com", records)
        for name, value in (world or {}).items():
            self.sandbox.set_world(name, "TXT", [value])

    def text(self, *words: str) -> tuple[int, str]:
        ended = self.cli("check", *words)
        self.stderr = ended.stderr
        assert "Traceback" not in ended.stderr + ended.stdout
        assert "Unexpected" not in ended.stderr
        return ended.code, ended.stdout

    def __call__(self, *words: str) -> tuple[int, dict[str, Any]]:
        code, output = self.text(*words, "--format", "json")
        (domain,) = json.loads(output)["domains"]
        return code, domain

    def after_apply(self, *words: str) -> None:
        assert self.cli("apply", *words, "--yes").code == 0

    def without_credentials(self) -> None:
        self.cli.set(dict.fromkeys(CCP.secrets))


@pytest.fixture
def check(house: Sandbox, pointed_at: PointedAt, request: pytest.FixtureRequest) -> Checks:
    checks = Checks(pointed_at(house))
    checks.show(CLEAN)
    if not getattr(request, "param", True):
        checks.without_credentials()
    return checks


def codes(domain: Mapping[str, Any]) -> dict[str, str]:
    """The codes of all findings, with their severity."""
    found = [*domain["findings"], *(f for r in domain["records"] for f in r["findings"])]
    return {finding["code"]: finding["severity"] for finding in found}


def states(domain: Mapping[str, Any]) -> dict[str, str]:
    return {record["kind"]: record["state"] for record in domain["records"]}


# What is wrong


with_and_without = pytest.mark.parametrize(
    "check", [True, False], indirect=True, ids=["api", "no-api"]
)
"""With credentials for netcup's API, and with name servers alone."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@with_and_without
def test_a_seeded_fault_is_named_when_the_right_records_are_wanted_and_when_nothing_is(
    check: Checks, fault: Fault
) -> None:
    check.show(fault.make(CLEAN), fault.world)
    code, domain = check("example.com", *fault.words)
    others = {kind: state for kind, state in states(domain).items() if kind != fault.kind}
    assert code == 8
    assert states(domain)[fault.kind] == fault.state
    assert set(others.values()) == {"ok"}
    assert fault.code is None or codes(domain)[fault.code] == "danger"
    code, domain = check("example.com")
    assert domain["basis"] == "published"
    if fault.alone is None:
        assert code == 0  # nothing says which key mail is signed with
        return
    assert code == 8
    named = {*codes(domain), *states(domain).values()}
    assert (fault.code if fault.alone is True else fault.alone) in named


@with_and_without
@pytest.mark.parametrize("words", [(), WISH], ids=["published", "wanted"])
def test_the_clean_zone_has_no_fault(
    check: Checks,
    words: tuple[str, ...],
) -> None:
    code, domain = check("example.com", *words)
    assert code == 0
    assert set(states(domain).values()) == {"ok"}
    assert set(codes(domain).values()) <= {"note"}


def test_an_allowed_finding_does_not_count_and_is_still_shown(check: Checks) -> None:
    check.show(text("v=DMARC1", ABROAD)(CLEAN))
    allow = ("--allow", "dmarc-report-not-authorised")
    code, output = check.text("example.com", *allow)
    assert code == 0
    assert "allowed: example.net has not agreed" in output
    assert output.startswith("example.com: all is right, 1 warning")


def test_a_quiet_check_says_nothing_unless_something_is_not_right(check: Checks) -> None:
    assert check.text("example.com", "-q") == (0, "")
    assert check.stderr == ""
    check.show(text("v=spf1", "v=spf1 mx ip4:1.2.3.4/33 -all")(CLEAN))
    assert "spf-syntax" in check.text("example.com", "-q")[1]


# What it is compared with


def test_options_win_over_the_config_and_it_is_said_in_every_format(
    check: Checks, tmp_path: Path
) -> None:
    config = tmp_path / "own.toml"
    config.write_text(f'[domains."example.com"]\nspf = {{ record = "{SPF}" }}\n')
    code, domain = check("example.com", "-c", str(config))
    assert (code, domain["basis"], states(domain)["spf"]) == (0, "config", "ok")
    code, domain = check("example.com", "-c", str(config), "--spf", "v=spf1 mx ~all")
    assert (code, domain["basis"], states(domain)["spf"]) == (8, "options", "wrong")
    assert "compared with the config" in check.text("-c", str(config))[1]
    assert "compared with the config" in check.text("-c", str(config), "--format", "markdown")[1]


def test_what_was_last_applied_from_here_tells_what_is_on_its_way_and_nothing_else(
    check: Checks,
) -> None:
    check.after_apply("example.com", "--spf", "v=spf1 mx ~all")
    strong = "v=DMARC1;p=reject;rua=mailto:postmaster@example.com"
    check.after_apply("example.com", "--dmarc", strong)
    check.without_credentials()
    code, domain = check("example.com")
    assert (code, domain["basis"]) == (0, "published")
    assert [record["expected"] for record in domain["records"]] == [None, None, None]
    check.sandbox.set_zone("example.com", CLEAN)
    # The journal is all there is to go by, and each kind's last write counts.
    code, domain = check("example.com")
    assert (code, states(domain)) == (9, {"spf": "pending", "dkim": "ok", "dmarc": "pending"})


def test_netcups_copy_wins_over_what_was_last_applied_from_here(check: Checks) -> None:
    check.after_apply("example.com", "--spf", "v=spf1 mx ~all")
    check.sandbox.set_zone("example.com", CLEAN)
    code, domain = check("example.com")
    assert (code, domain["basis"], states(domain)["spf"]) == (0, "published", "ok")


def test_after_an_apply_of_spf_alone_a_domain_without_the_rest_is_not_right(check: Checks) -> None:
    check.show([r for r in CLEAN if r["hostname"] not in ("_dmarc", "dkim._domainkey")])
    check.after_apply("example.com", "--spf", "v=spf1 mx ~all")
    code, domain = check("example.com")
    assert (code, states(domain)) == (8, {"spf": "ok", "dkim": "missing", "dmarc": "missing"})
    assert "all is right" not in check.text("example.com")[1]


def test_a_selector_alone_says_where_to_look(check: Checks) -> None:
    check.show(renamed("dkim._domainkey", "s2026._domainkey")(CLEAN))
    assert check("example.com", "--selector", "s2026")[0] == 0
    code, domain = check("example.com", "--selector", "dkim")
    assert (code, states(domain)["dkim"]) == (8, "missing")


def test_the_selectors_of_netcups_copy_are_looked_at_else_dkim(check: Checks) -> None:
    check.show(renamed("dkim._domainkey", "s2026._domainkey")(CLEAN))
    code, domain = check("example.com")
    assert (code, [r["name"] for r in domain["records"]][1]) == (0, "s2026._domainkey.example.com")
    check.without_credentials()
    code, domain = check("example.com")
    assert (code, [r["name"] for r in domain["records"]][1]) == (8, "dkim._domainkey.example.com")


def test_parts_are_completed_from_dns_where_netcup_is_not_asked(check: Checks) -> None:
    check.without_credentials()
    assert check("example.com", "--spf-require", "mx")[0] == 0
    code, domain = check("example.com", "--spf-require", "ip4:192.0.2.7")
    assert code == 8
    assert domain["records"][0]["expected"] == "v=spf1 ip4:192.0.2.7 mx -all"


def test_two_live_records_described_in_parts_are_judged_by_themselves(check: Checks) -> None:
    check.show(beside("_dmarc", "v=DMARC1;p=none")(CLEAN))
    code, domain = check("example.com", "--dmarc-policy", "reject")
    assert (code, states(domain)["dmarc"]) == (8, "conflict")
    assert "dmarc-multiple" in codes(domain)


def test_a_private_key_is_tried_against_the_published_one(check: Checks, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    own, other = (
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        for _ in range(2)
    )
    (tmp_path / "key.pem").write_bytes(own)
    source = ("example.com", "--dkim", "file:key.pem")
    check.after_apply(*source)
    code, domain = check(*source)
    assert code == 0
    assert any("a signature made with the private key" in c for c in domain["conclusions"])
    (tmp_path / "key.pem").write_bytes(other)
    code, domain = check(*source)
    assert (code, codes(domain)["dkim-key-mismatch"]) == (8, "danger")


# Bad input


def test_a_domain_that_is_not_at_netcup_is_judged_all_the_same(check: Checks) -> None:
    check.sandbox.set_backend("example.org", "clouddns")
    try:
        domain = check("example.org", "--server", "203.0.113.25")[1]
    finally:
        check.sandbox.set_backend("example.org", "ccp")
    assert domain["basis"] == "published"
    assert states(domain)["spf"] == "ok"


def test_netcup_is_not_asked_for_a_zone_that_others_serve(check: Checks) -> None:
    check.sandbox.set_world("foreign.example", "NS", ["ns.elsewhere.example"])
    code, domain = check("foreign.example")
    assert requests_of(check.sandbox) == {}
    assert (code, set(states(domain).values())) == (8, {"error"})
    assert domain["conclusions"] == []
    assert "mx-missing" not in codes(domain)


def test_a_domain_without_mx(check: Checks) -> None:
    check.show([r for r in CLEAN if r["type"] != "MX"])
    domain = check("example.com")[1]
    assert codes(domain)["mx-missing"] == "warning"
    assert "own-server-unknown" in codes(domain)


def test_a_domain_that_takes_no_mail_and_one_that_sends_none_are_not_nagged(
    check: Checks,
) -> None:
    null = [{**r, "destination": ".", "priority": "0"} if r["type"] == "MX" else r for r in CLEAN]
    check.show(null)
    assert set(codes(check("example.com")[1])) <= {"spf-fail-and-forwarding"}
    parked = [
        record("@", "A", "203.0.113.10"),
        record("@", "TXT", "v=spf1 -all"),
        record("_dmarc", "TXT", "v=DMARC1;p=reject"),
    ]
    check.show(parked)
    code, domain = check("example.com")
    assert (code, states(domain)) == (0, {"spf": "ok", "dmarc": "ok"})
    assert set(codes(domain)) <= {"spf-fail-and-forwarding", "dmarc-reject-and-mailing-lists"}


def test_a_chain_of_aliases_at_a_selector_is_followed(check: Checks) -> None:
    chain = [
        *(r for r in CLEAN if r["hostname"] != "dkim._domainkey"),
        record("dkim._domainkey", "CNAME", "one.example.com"),
        record("one", "CNAME", "two.example.net"),
    ]
    check.show(chain, {"two.example.net": KEY})
    code, domain = check("example.com")
    assert (code, states(domain)["dkim"]) == (0, "ok")
    assert "CNAME to one.example.com" in domain["records"][1]["servers"][0]["detail"]
    assert check("example.com", "--dkim", KEY)[0] == 0
    assert states(check("example.com", "--dkim", OTHER_KEY)[1])["dkim"] == "conflict"


def test_a_loop_of_aliases_at_a_selector(check: Checks) -> None:
    loop = [
        *(r for r in CLEAN if r["hostname"] != "dkim._domainkey"),
        record("dkim._domainkey", "CNAME", "one.example.com"),
        record("one", "CNAME", "dkim._domainkey.example.com"),
    ]
    check.show(loop)
    code, domain = check("example.com")
    assert (code, states(domain)["dkim"]) == (8, "conflict")


def test_an_international_name_is_asked_for_in_punycode(check: Checks) -> None:
    code, output = check.text("bücher.example")
    assert code == 5
    assert output == "bücher.example (xn--bcher-kva.example): failed\n"
    assert "xn--bcher-kva.example does not exist in DNS." in check.stderr
    assert check.text("bü cher.example")[0] == 2


def test_dns_that_is_silent_is_not_taken_for_an_answer(check: Checks) -> None:
    check.sandbox.resolver_fault("servfail")
    code, domain = check("example.com", "--selector", "dkim")
    assert not {"mx-missing", "mx-broken", "reverse-dns"} & set(codes(domain))
    assert code == 0


def test_refused_credentials_do_not_stop_a_check_and_are_not_tried_again(check: Checks) -> None:
    check.cli.set({"NETCUP_API_PASSWORD": "wrong-password"})
    _, output = check.text("example.com", "example.org")
    assert "example.com: all is right, 1 warning" in output
    assert output.count("netcup-not-read") == 2
    assert requests_of(check.sandbox) == {"login": 1}
    assert "wrong-password" not in output + check.stderr


# Each server by itself


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each name server was waited for; what it is asked at once is waited for once."""
    times: Counter[str] = Counter()

    def noted(function: Callable[[Any], Any], items: Sequence[Any], lane: Any) -> list[Any]:
        times.update(f"{host}:{port}" for host, port in set(map(lane, items)))
        return lanes.in_lanes(function, items, lane)

    monkeypatch.setattr(servers, "in_lanes", noted)
    return times


BROKEN = ("off", "drop", "servfail", "refused", "garbage")


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("mode", BROKEN)
@with_and_without
def test_one_dead_server_is_named_and_waited_for_once(
    check: Checks, asked: Counter[str], mode: str, number: int
) -> None:
    check.sandbox.dns_fault(number, mode)
    code, domain = check("example.com")
    assert asked[check.sandbox.addresses.nameservers[number]] == 1
    assert (code, set(states(domain).values())) == (8, {"error"})
    for found in domain["records"]:
        by_server = [view["state"] for view in found["servers"]]
        assert by_server == ["error" if n == number else "ok" for n in range(3)]
        assert found["servers"][number]["detail"]
        assert found["servers"][number]["server"] == check.sandbox.addresses.nameservers[number]
    assert any("DMARC: failing mail is quarantined" in text for text in domain["conclusions"])


def test_all_servers_dead(check: Checks, asked: Counter[str]) -> None:
    for number in range(3):
        check.sandbox.dns_fault(number, "drop")
    code, domain = check("example.com", "--selector", "dkim")
    assert asked == dict.fromkeys(check.sandbox.addresses.nameservers, 1)
    assert (code, set(states(domain).values())) == (8, {"error"})


@pytest.mark.parametrize("number", range(3))
@with_and_without
def test_the_slowest_answer_is_waited_for_once(
    check: Checks, asked: Counter[str], number: int
) -> None:
    check.sandbox.dns_fault(number, "slow", delay=0.3)
    assert check("example.com")[0] == 0
    assert asked[check.sandbox.addresses.nameservers[number]] == 1


def test_a_server_that_is_stuck_keeps_it_pending(check: Checks) -> None:
    check.sandbox.dns_fault(1, "stale")
    check.after_apply("example.com", "--spf", "v=spf1 mx ~all")
    code, domain = check("example.com")
    assert (code, states(domain)["spf"]) == (9, "pending")
    assert [v["state"] for v in domain["records"][0]["servers"]] == ["ok", "pending", "ok"]
    assert "wrong" not in json.dumps({**domain, "advice": ""})
