"""`--record FILE`: what netcup said, fit for strangers to see, and said again by a sandbox."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.cli import recording
from netcup_mailauth.sandbox import Sandbox
from tests.apis import CCP, each_api
from tests.story.answering import answering, envelope, record, rest
from tests.story.wanted import DROP
from tests.worlds import requests_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.apis import Api
    from tests.story.inprocess import Cli, PointedAt

__all__ = ["each_api"]  # a fixture

DMARC = "v=DMARC1; p=none; rua=mailto:a@example.com"
SPF = "v=spf1 mx a ~all"  # with -all it would matter that the addresses are masked
WISH = ("example.com", "--spf", SPF, *DROP, "--dmarc", DMARC)
APPLY = ("apply", *WISH, "--yes")
PLAN = ("plan", *WISH, "--format", "json")

FOREIGN = [
    {"hostname": "geheim-host", "type": "A", "destination": "203.0.113.177"},
    {"hostname": "geheim-host", "type": "AAAA", "destination": "2001:db8:4711::815"},
    {"hostname": "kunde4711.lager", "type": "CNAME", "destination": "intern.kunde.example"},
    {"hostname": "_acme-challenge.tresor", "type": "TXT", "destination": "Q0FOQVJZ-canary_value"},
    {"hostname": "@", "type": "TXT", "destination": "apple-domain=KanarienVogel4711"},
    {"hostname": "@", "type": "TXT", "destination": "drei kleine Geheimnisse"},
    {"hostname": "@", "type": "CAA", "priority": "0", "destination": '0 issue "caname.example"'},
    {"hostname": "_sip._tls", "type": "SRV", "destination": "1 443 sipdir.kunde.example"},
    {"hostname": "tresor", "type": "MX", "priority": "4747", "destination": "mx9.kunde.example"},
]
_ALL = " ".join(value for record in FOREIGN for value in record.values())
CANARIES = re.findall(r"[\w.-]{4,}", _ALL)
"""Every word of four letters and more in them; what is shorter tells nobody from another."""

PUBLIC = {"AAAA", "CNAME", "issue", "_acme-challenge", "_acme-challenge.tresor"}


@pytest.fixture
def api(each_api: Api) -> Api:
    return each_api


@pytest.fixture
def full(cli: Cli) -> Cli:
    """The command line at a zone that holds more than is anybody's business."""
    own = cli.sandbox.zone("example.com")
    cli.sandbox.set_zone("example.com", [*own, *FOREIGN])
    return cli


def recorded(cli: Cli, *arguments: str, code: int = 0) -> str:
    """What a run has written down."""
    ended = cli("-v", "--record", "said.json", *arguments)
    assert ended.code == code, ended.stderr
    return (cli.folder / "said.json").read_text()


def listed(answer: Any) -> list[str]:
    """The values of the records in an answer, but for the SOA, which has another serial."""
    data = answer.get("responsedata") or {} if "responsedata" in answer else answer.get("result")
    rows = data.get("dnsrecords", []) if isinstance(data, dict) else data
    values = ((row.get("type"), row.get("destination", row.get("rdata"))) for row in rows or ())
    return [value for kind, value in values if kind not in (None, "SOA")]


def answers(text: str) -> list[Any]:
    return [exchange.get("json") for exchange in json.loads(text)["exchanges"]]


def test_no_secret_and_nothing_of_a_foreign_record_is_in_it(full: Cli) -> None:
    text = recorded(full, *APPLY)
    held = {name: value for name, value in full.sandbox.env.items() if value and "KEY" in name}
    secrets = [*held.values(), str(full.sandbox.env["NETCUP_API_PASSWORD"]), "Bearer"]
    assert [secret for secret in secrets if secret in text] == []
    assert [word for word in CANARIES if word not in PUBLIC and _stands(word, text)] == []
    assert "google-site-verification" not in text
    assert '"12345"' not in text  # the customer number


def _stands(word: str, text: str) -> bool:
    """Whether it is there; a number by itself, for others have the same digits by chance."""
    alone = r"(?<![\w-]){}(?![\w-])" if word.isdecimal() else "{}"
    return re.search(alone.format(re.escape(word)), text) is not None


def test_spf_dkim_and_dmarc_stay_and_so_does_what_netcup_calls_things(full: Cli, api: Api) -> None:
    text = recorded(full, *APPLY)
    said = json.dumps(answers(text))
    assert SPF in said
    assert "include:_spf.webhosting.systems" in said
    assert DMARC in said
    for word in ("DNS records found", "deleterecord") if api is CCP else ("committed", "lastPage"):
        assert word in said


def test_a_mask_is_as_long_as_what_it_masks_and_the_same_wherever_that_stands(
    full: Cli, api: Api
) -> None:
    """So that an answer is as long as netcup's, and a record the same one when read again."""
    listings = [rows for rows in map(listed, answers(recorded(full, *APPLY))) if rows]
    field = "destination" if api is CCP else "rdata"
    zone = full.sandbox.zone if api is CCP else full.sandbox.rest_records
    real = [len(str(row[field])) for row in zone("example.com") if row["type"] != "SOA"]
    assert sorted(map(len, listings[-1])) == sorted(real)
    changed = set(listings[0]) - set(listings[-1])
    assert len(changed) == 1
    assert "v=spf1" in changed.pop()


def test_what_is_masked_is_shown_before_the_file_is_there(
    full: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr(recording, "write_private", lambda *_: said.append("written"))
    monkeypatch.setattr(recording, "say", said.append)
    assert full("--record", "said.json", *APPLY).code == 0
    assert said[0].startswith("--record: ")
    assert said[0].endswith(" exchanges with netcup. Masked:")
    assert any("times  records that are not SPF, DKIM or DMARC" in line for line in said)
    assert "example.com, its SPF, DKIM and DMARC records" in said[said.index("written") - 1]
    assert said[-1].endswith("Read it before you send it to anybody.")


@pytest.mark.parametrize("command", [PLAN, APPLY, ("records", "example.com", "--mail")])
def test_a_sandbox_answers_as_netcup_did(
    full: Cli, pointed_at: PointedAt, command: tuple[str, ...]
) -> None:
    begun = full("-v", "--record", "said.json", *command)
    with Sandbox((), replay=full.folder / "said.json") as again:
        replayed = pointed_at(again)(*command)
        assert again.stats()["replay"] == {"left": 0, "missed": []}
    assert replayed.code == begun.code == 0
    if command is PLAN:
        zones = [json.loads(ended.stdout)["zones"][0] for ended in (begun, replayed)]
        assert zones[0]["changes"] == zones[1]["changes"]
        assert zones[0]["untouched"] == zones[1]["untouched"]
    else:
        ours = [[line for line in ended.stdout.splitlines() if "v=" in line] for ended in
                (begun, replayed)]  # fmt: skip
        assert ours[0] == ours[1]


FAULTS = {
    "ccp": [("login", "html"), ("infoDnsRecords", "drop"), ("infoDnsRecords", "500"),
            ("updateDnsRecords", "apply-then-4013"), ("infoDnsRecords", "rate-limit"),
            ("login", "lockout"), ("updateDnsRecords", "drop"), ("infoDnsRecords", "cut"),
            ("infoDnsRecords", "lie"), ("login", "denied")],
    "clouddns": [("domain", "html"), ("revisions", "drop"), ("records", "500"), ("domain", "429"),
                 ("domain", "bad-key"), ("changeset", "apply-then-error"), ("changeset", "drop"),
                 ("changeset", "null-result"), ("domain", "denied"), ("records", "cut"),
                 ("changeset", "apply-then-html")],
}  # fmt: skip


@pytest.mark.parametrize("number", range(11))
def test_a_failure_is_recorded_as_well_and_comes_again(
    full: Cli, pointed_at: PointedAt, api: Api, number: int
) -> None:
    if number >= len(FAULTS[api.name]):
        return
    action, mode = FAULTS[api.name][number]
    full.sandbox.fault(action, mode, times=9)
    full.set({"NETCUP_MAILAUTH_STATE_DIR": str(full.folder / "first")})
    begun = full("--record", "said.json", *APPLY)
    with Sandbox((), replay=full.folder / "said.json") as again:
        cli = pointed_at(again)
        cli.set({"NETCUP_MAILAUTH_STATE_DIR": str(full.folder / "second")})
        replayed = cli(*APPLY)
        assert again.stats()["replay"]["missed"] == []
    assert replayed.code == begun.code
    told = [re.findall(r"(?m)^netcup-mailauth: .*", e.stderr + e.stdout) for e in (begun, replayed)]
    masked = [[re.sub(r"\S*\d\S*", "", line) for line in lines] for lines in told]
    assert masked[0] == masked[1]


def test_an_answer_that_is_none_yet_is_recorded_as_none(
    full: Cli, pointed_at: PointedAt, api: Api
) -> None:
    """A sandbox says nothing then either."""
    full.sandbox.fault(api.first, "early", times=9)
    recorded(full, "records", "example.com", code=1)
    with Sandbox((), replay=full.folder / "said.json") as again:
        assert pointed_at(again)("records", "example.com").code == 1
        assert again.stats()["replay"] == {"left": 0, "missed": []}


def test_what_was_waited_for_at_ctrl_c_is_recorded(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where netcup does not answer, that is what there is to report."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", interrupted)
    exchange, *more = json.loads(recorded(cli, *APPLY, code=130))["exchanges"]
    assert (exchange["status"], exchange["why"], more) == (None, "interrupted", [])


def test_what_no_sandbox_has_asked_for_is_told(cli: Cli, pointed_at: PointedAt) -> None:
    recorded(cli, "records", "example.com")
    with Sandbox((), replay=cli.folder / "said.json") as again:
        code, text = pointed_at(again).said(*APPLY)
        assert again.stats()["replay"]["missed"] != []
    assert code == 8  # a write of unknown outcome
    assert "HTTP 501" in text


ODD_CCP = envelope(
    {
        "dnsrecords": [record(destination="v=spf1 -all", comment="made by Erika Mustermann")],
        "owner": {"name": "Erika Mustermann", "customerNumber": 4711081547, "since": 20.11},
        "tags": ["Kanarienvogel", 4711081547, None, True],
        "mustermann.example": {"balance": "-12.34 EUR"},
    },
    longmessage="Dear Erika-Mustermann.example (4711081547), 'Kanarienvogel' is not \"Spatz\".",
)
ODD_REST = rest(
    [
        {"id": 5, "fqdn": "example.com", "isDnsManaged": False, "owner": "Erika Mustermann"},
        {"id": 6, "fqdn": "mustermann.example", "isDnsManaged": True, "customer": 4711081547},
    ]
)


@pytest.mark.parametrize("odd", [ODD_CCP, ODD_REST, b"<html>Erika Mustermann 4711081547</html>"])
def test_what_is_not_known_to_be_harmless_is_masked(cli: Cli, odd: bytes) -> None:
    with answering(odd) as address:
        cli.set({"NETCUP_CCP_ENDPOINT": address, "NETCUP_REST_ENDPOINT": address})
        cli("--record", "said.json", "records", "example.com")
    text = (cli.folder / "said.json").read_text()
    assert re.findall(r"Erika|[Mm]usterm|4711081547|Kanarien|Spatz|12\.34|20\.11", text) == []


# The file


def test_the_file_is_for_its_owner_alone_and_no_link_is_followed(cli: Cli) -> None:
    other = cli.folder / "other"
    other.write_text("as it was")
    (cli.folder / "said.json").symlink_to(other)
    recorded(cli, "records", "example.com")
    path = cli.folder / "said.json"
    assert (path.is_symlink(), path.stat().st_mode & 0o777) == (False, 0o600)
    assert other.read_text() == "as it was"


@pytest.mark.parametrize("name", ["nowhere/said.json", "folder"])
def test_no_place_for_a_file_is_told_before_anything_is_asked(cli: Cli, name: str) -> None:
    (cli.folder / "folder").mkdir()
    code, text = cli.said("--record", name, *APPLY)
    assert code == 2
    assert f"{name} cannot be written" in text
    assert requests_of(cli.sandbox) == {}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ((*PLAN, "--out", "new.json"), "new.json"),
        ((*PLAN, "--out", "new.json"), "here/../new.json"),
        ((*PLAN, "--zone-file", "zone.json"), "zone.json"),
        (("apply", "--plan", "zone.json"), "link.json"),
        (("plan", "example.com", "--dkim", "file:zone.json"), "zone.json"),
        ((*APPLY, "--metrics-file", "run.prom"), "run.prom"),
        (("-c", "own.toml", *PLAN), "own.toml"),
        (("plan",), "netcup-mailauth.toml"),
    ],
)
def test_a_recording_takes_the_place_of_no_file_of_the_command(
    cli: Cli, command: tuple[str, ...], name: str
) -> None:
    (cli.folder / "here").mkdir()
    config = '[domains."example.com"]\ndmarc = "v=DMARC1;p=none"\n'
    for own in ("zone.json", "own.toml", "netcup-mailauth.toml"):
        (cli.folder / own).write_text(config)
    (cli.folder / "link.json").symlink_to("zone.json")
    code, text = cli.said("--record", name, *command)
    assert code == 2
    assert f"--record {name} is a file that this command reads or writes itself" in text
    assert requests_of(cli.sandbox) == {}
    assert (cli.folder / "zone.json").read_text() == config


def test_a_file_that_cannot_be_written_takes_nothing_from_the_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recording, "write_private", full_disk)
    code, text = cli.said("--record", "said.json", *APPLY)
    assert code == 0
    assert "said.json cannot be written: No space left on device. What was said is lost." in text


def test_where_nothing_was_said_there_is_no_file(cli: Cli) -> None:
    exported = cli("records", "example.com", "--format", "json").stdout
    (cli.folder / "zone.json").write_text(exported)
    code, text = cli.said("--record", "said.json", *PLAN, "--zone-file", "zone.json")
    assert code == 0
    assert "nothing was said between this run and netcup, so said.json is not written" in text
    assert not (cli.folder / "said.json").exists()


def test_a_command_that_never_asks_netcup_says_so(cli: Cli) -> None:
    code, text = cli.said("--record", "said.json", "help", "sandbox")
    assert code == 0
    assert "--record: help says nothing to netcup, so said.json is not written." in text
    assert not (cli.folder / "said.json").exists()


def test_many_domains_at_a_time_are_recorded_whole(pointed_at: PointedAt, api: Api) -> None:
    names = [f"example-{n}.de" for n in range(6)]
    with Sandbox(names if api is CCP else (), clouddns=() if api is CCP else names) as netcup:
        cli = pointed_at(netcup)
        text = recorded(cli, "plan", *names, "--spf-require", "mx", "--jobs", "3")
    with Sandbox((), replay=cli.folder / "said.json") as again:
        assert pointed_at(again)("plan", *names, "--spf-require", "mx", "--jobs", "2").code == 0
        assert again.stats()["replay"] == {"left": 0, "missed": []}
    assert len(answers(text)) == (8 if api is CCP else 18)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no recording"),
        ("[]", "is no recording"),
        ('{"exchanges": {}}', "is no recording"),
        ('{"schema": 2, "exchanges": []}', "of another version"),
        ('{"schema": 1, "exchanges": [1]}', "exchange 1: api must be"),
        ('{"schema": 1, "exchanges": [{"api": "ccp"}]}', "method and path must be texts"),
        ('{"schema": 1, "exchanges": [{"api": "ccp", "method": "POST", "path": "", "status": 7}]}',
         "status must be one of HTTP's"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_told_when_the_sandbox_starts(
    cli: Cli, text: str, why: str
) -> None:
    (cli.folder / "said.json").write_text(text)
    code, said = cli.said("sandbox", "--replay", "said.json")
    assert code == 2
    assert why in said
    code, said = cli.said("sandbox", "--replay", "missing.json")
    assert code == 2
    assert "missing.json is not there" in said
