"""``setup``: one command, a few answers, and the records are right and stay so; or as they were."""

from __future__ import annotations

import base64
import os
import signal
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from netcup_mailauth.sandbox import Sandbox
from tests.core.judge.cases import key_record
from tests.process.command import Command
from tests.process.terminal import dialogue, read_all
from tests.worlds import requests_of, until_called

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.process.command import Ended

CCP = ("NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")
MAILCOW = ("MAILCOW_URL", "MAILCOW_API_KEY")
WITHOUT = dict.fromkeys((*CCP, "NETCUP_REST_API_KEY", *MAILCOW))
NO_MAILCOW: dict[str, str | None] = dict.fromkeys(MAILCOW)
HOW_TO = ("v=spf1 mx a -all", "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        ("example.com", "example.net"),
        clouddns=("example.org",),
        mailboxes=("postmaster@example.com",),
    ) as running:
        yield running


def entered(sandbox: Sandbox) -> list[str]:
    """What to type where nothing is known yet, up to the first question that is about records."""
    return [
        *(sandbox.env[name] or "" for name in CCP),
        "",
        sandbox.mailcow_url,
        sandbox.env["MAILCOW_API_KEY"] or "",
    ]


def home(command: Command) -> Path:
    return command.folder / "home" / ".config" / "netcup-mailauth"


def config(command: Command) -> str:
    return (home(command) / "netcup-mailauth.toml").read_text()


def written(sandbox: Sandbox, domain: str = "example.com") -> list[str]:
    """The SPF, DKIM and DMARC records of a zone, the long ones cut."""
    records = sandbox.zone(domain)
    texts = [str(record["destination"]) for record in records if record["type"] == "TXT"]
    return sorted(text[:60] for text in texts if text.startswith("v="))


def as_before(command: Command, records: list[str]) -> None:
    """Nothing is written: no record, no config, no credentials."""
    assert written(command.sandbox) == records
    assert list((command.folder / "home").rglob("*")) == []
    assert [path.name for path in command.folder.glob("*.toml")] == []


def told(ended: Ended) -> str:
    """All that was shown, however wide the terminal."""
    return " ".join((ended.stdout + ended.stderr).split())


def timer(command: Command, ended: Ended) -> Ended:
    """Run the line that is meant for cron: from elsewhere, without a terminal."""
    (line,) = (line for line in ended.stdout.splitlines() if " * * * *  " in line)
    words = line.split(" * * * *  ")[1].split()
    assert words[0].endswith("netcup-mailauth")
    elsewhere = Command(command.sandbox, command.folder, command.changes)
    return elsewhere(*words[1:])


@pytest.mark.parametrize("columns", ["80", "120"])
def test_from_an_empty_home_to_three_records_and_a_config(command: Command, columns: str) -> None:
    command.changes = {**WITHOUT, "COLUMNS": columns}
    answers = ["", "", "y", ""]  # domain, proposal, plan, another domain
    ended = dialogue(command, "setup", answers=[*entered(command.sandbox), *answers])
    assert ended.code == 0, ended.stdout
    assert [text[:20] for text in written(command.sandbox)] == [
        "v=DKIM1;k=rsa;t=s;s=",
        "v=DMARC1;p=quarantin",
        "v=spf1 mx a include:",
    ]
    for path in home(command).iterdir():
        assert path.name in ("credentials.toml", "netcup-mailauth.toml")
    assert stat.S_IMODE((home(command) / "credentials.toml").stat().st_mode) == 0o600
    assert tomllib.loads(config(command)) == {
        "mailcow": {"url": command.sandbox.mailcow_url},
        "domains": {
            "example.com": {
                "spf": {"require": ["mx", "a"]},
                "dkim": "mailcow",
                "dmarc": {"policy": "quarantine", "rua": ["mailto:postmaster@example.com"]},
            }
        },
    }
    assert "What receivers make of it:" in told(ended)
    assert " missing " not in told(ended)
    again = timer(command, ended)
    assert (again.code, again.stdout) == (0, "")
    writes = requests_of(command.sandbox)["updateDnsRecords"]
    assert writes == 1


def test_with_credentials_at_hand_a_line_and_a_few_keys_are_enough(command: Command) -> None:
    answers = ["", "y", ""]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0
    assert len(written(command.sandbox)) == 3
    typed = len("netcup-mailauth setup example.com\n") + sum(len(a) + 1 for a in answers)
    assert typed < 80


@pytest.mark.parametrize("asked", range(11))
def test_interrupted_before_the_yes_all_is_as_it_was(command: Command, asked: int) -> None:
    command.changes = dict(WITHOUT)
    before = written(command.sandbox)
    (command.folder / "home").mkdir()
    answers = [*entered(command.sandbox), "", "2", "y", ""][:asked]
    ended = dialogue(command, "setup", answers=[*answers, "^C"])
    assert ended.code == 130
    assert told(ended).endswith("Interrupted: nothing was written.")
    as_before(command, before)


@pytest.mark.parametrize("answer", ["n", ""])
def test_without_a_yes_all_is_as_it_was(command: Command, answer: str) -> None:
    before = written(command.sandbox)
    (command.folder / "home").mkdir()
    ended = dialogue(command, "setup", "example.com", answers=["", answer])
    assert ended.code == 2
    assert "nothing was written" in told(ended)
    as_before(command, before)


def test_interrupted_after_the_yes_it_says_what_is_written(command: Command) -> None:
    command.changes = dict(WITHOUT)
    answers = [*entered(command.sandbox), "", "", "y", "^C"]
    ended = dialogue(command, "setup", answers=answers)
    assert ended.code == 130
    last = told(ended).rpartition("Interrupted: ")[2]
    assert last.startswith("example.com is written; the credentials are kept; ")
    assert len(written(command.sandbox)) == 3


def test_interrupted_during_the_write_it_is_waited_for_and_told(command: Command) -> None:
    command.sandbox.fault("updateDnsRecords", "slow", delay=1.5)
    process, terminal = command.open_terminal("setup", "example.com")
    os.write(terminal, b"\ny\n")
    until_called(command.sandbox, "updateDnsRecords")
    process.send_signal(signal.SIGINT)
    shown = " ".join(read_all(terminal).split())
    assert process.wait(30) == 130
    assert "written and verified" in shown
    assert shown.endswith("Interrupted: example.com is written.")
    assert len(written(command.sandbox)) == 3
    assert not home(command).exists()


def test_a_config_that_is_named_and_not_there_is_made(command: Command) -> None:
    answers = ["", "y", ""]
    ended = dialogue(command, "setup", "example.com", "-c", "my file.toml", answers=answers)
    assert ended.code == 0
    assert f"-c '{command.folder}/my file.toml' apply --yes" in ended.stdout
    again = command("-q", "-c", "my file.toml", "apply", "--yes")
    assert (again.code, again.stdout) == (0, "")
    assert not home(command).exists()


def test_without_a_terminal_it_says_what_to_use_instead(command: Command) -> None:
    ended = command("setup", "example.com")
    assert ended.code == 2
    for instead in ("netcup-mailauth apply", "netcup-mailauth init"):
        assert instead in told(ended)
    assert requests_of(command.sandbox) == {}


RECORD = key_record(tags="t=s;s=email;")
PASTED = {
    "bare": RECORD,
    "quoted": f'"{RECORD}"',
    "split": f'"{RECORD[:250]}" "{RECORD[250:]}"',
    "wrapped": "\n".join(RECORD[i : i + 64] for i in range(0, len(RECORD), 64)),
    "wrapped in quotes": f'"{RECORD[:100]}"\n"{RECORD[100:300]}"\n"{RECORD[300:]}"',
    "zone line": f'dkim._domainkey.example.org. 600 IN TXT "{RECORD[:250]}" "{RECORD[250:]}"',
    "opendkim": f'dkim._domainkey IN TXT ( "{RECORD[:250]}"\n\t  "{RECORD[250:]}"\n\t)  ; remark',
    "key alone": RECORD.partition("p=")[2],
    "behind an empty line": f"\n{RECORD[:200]}\n{RECORD[200:]}\n",
}


@pytest.mark.parametrize("form", PASTED)
def test_a_record_is_pasted_in_any_form_for_a_zone_on_clouddns(command: Command, form: str) -> None:
    command.changes = {**NO_MAILCOW, "NETCUP_REST_API_KEY": command.sandbox.rest_key}
    answers = ["", PASTED[form], "", "y"]  # mailcow, key, proposal, plan
    ended = dialogue(command, "setup", "example.org", answers=answers)
    assert ended.code == 0, ended.stdout
    dkim, dmarc, _ = written(command.sandbox, "example.org")
    assert dkim.startswith("v=DKIM1;k=rsa;")
    assert dmarc.startswith("v=DMARC1;p=quarantine")
    assert timer(command, ended).code == 0


def test_of_a_private_key_only_the_public_half_is_kept(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ended = dialogue(command, "setup", "example.com", answers=["", pem.rstrip(), "", "y"])
    assert ended.code == 0, ended.stdout
    assert len(written(command.sandbox)) == 3
    source = tomllib.loads(config(command))["domains"]["example.com"]["dkim"]["source"]
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert source == f"record:{base64.b64encode(der).decode()}"
    assert timer(command, ended).code == 0


def test_a_key_that_is_none_is_told_and_asked_for_again(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    answers = ["", f"{RECORD[:-30]}\n", RECORD, "", "y"]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0
    assert len(written(command.sandbox)) == 3


def test_without_a_key_mail_is_only_watched_until_there_is_one(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    first = dialogue(command, "setup", "example.com", answers=["", "", "", "y"])
    assert first.code == 0
    assert [text[:15] for text in written(command.sandbox)] == [
        "v=DMARC1;p=none",
        "v=spf1 mx a inc",
    ]
    assert "run setup again" in told(first)
    assert timer(command, first).code == 0
    before = config(command)
    second = dialogue(command, "setup", "example.com", answers=["", RECORD, "", "y"])
    assert second.code == 0, second.stdout
    assert len(written(command.sandbox)) == 3
    assert config(command).startswith(before)
    table = tomllib.loads(config(command))["domains"]["example.com"]
    assert table["dkim"] == {"source": RECORD, "selector": "dkim"}
    assert timer(command, second).code == 0


def test_a_sub_domain_is_set_up_in_the_zone_it_lies_in(command: Command) -> None:
    command.changes = {**NO_MAILCOW}
    zone = [r for r in command.sandbox.zone("example.com") if r["hostname"] != "*"]
    command.sandbox.set_zone("example.com", zone)
    answers = ["", RECORD, "", "", "y"]  # mailcow, key, server, proposal, plan
    ended = dialogue(command, "setup", "lists.example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    table = tomllib.loads(config(command))["domains"]["lists.example.com"]
    assert (table["zone"], table["server"]) == ("example.com", ["mail.example.com"])
    assert table["spf"] == {"require": ["a:mail.example.com"], "all": "softfail"}
    assert timer(command, ended).code == 0


def test_a_sub_domain_that_would_hide_a_wildcard_is_left_alone(command: Command) -> None:
    before = written(command.sandbox)
    command.changes = dict(NO_MAILCOW)
    ended = dialogue(command, "setup", "lists.example.com", answers=["", RECORD, ""])
    assert ended.code == 6
    assert "*.example.com no longer answers" in told(ended)
    as_before(command, before)


MINE = "# mine, äöü\r\n[mailcow]\r\nurl = '{url}'   # ours\r\n\r\n[defaults]\r\nallow = []"


def test_the_config_that_is_here_gets_a_table_and_stays_as_it_is(command: Command) -> None:
    here = command.folder / "netcup-mailauth.toml"
    mine = MINE.format(url=command.sandbox.mailcow_url).encode()
    here.write_bytes(mine)
    here.chmod(0o640)
    ended = dialogue(command, "setup", "example.com", answers=["", "y", "example.net", "", "y", ""])
    assert ended.code == 0, ended.stdout
    assert here.read_bytes().startswith(mine)
    assert stat.S_IMODE(here.stat().st_mode) == 0o640
    assert not home(command).exists()
    assert list(tomllib.loads(here.read_text())["domains"]) == ["example.com", "example.net"]
    assert f"-c {here}" in ended.stdout
    assert timer(command, ended).code == 0
    assert len(written(command.sandbox, "example.net")) == 3


def test_a_table_that_says_nothing_of_records_gets_them(command: Command) -> None:
    here = command.folder / "netcup-mailauth.toml"
    mine = '[domains."example.com"]\nallow = ["stale-netcup-mail"]\ndmarc = false\n'
    here.write_text(mine)
    ended = dialogue(command, "setup", "example.com", answers=["", "y", ""])
    assert ended.code == 0, ended.stdout
    assert here.read_text().startswith(mine)
    table = tomllib.loads(here.read_text())["domains"]["example.com"]
    assert list(table) == ["allow", "dmarc", "spf", "dkim"]
    assert table["dmarc"] is False
    assert len(written(command.sandbox)) == 2
    assert timer(command, ended).code == 0


def test_a_parked_domain_of_the_config_stays_parked(command: Command) -> None:
    here = command.folder / "netcup-mailauth.toml"
    here.write_text('[domains."example.com"]\nparked = true\n')
    before = written(command.sandbox)
    ended = dialogue(command, "setup", "example.com", answers=["n"])
    assert ended.code == 2
    assert "v=spf1 -all" in ended.stdout
    assert written(command.sandbox) == before


def test_a_config_that_takes_no_table_is_told_before_anything_is_written(command: Command) -> None:
    here = command.folder / "netcup-mailauth.toml"
    here.write_text('domains = { "example.net" = { dkim = { source = "mailcow" } } }\n')
    before = written(command.sandbox)
    ended = dialogue(command, "setup", "example.com", answers=[""])
    assert ended.code == 2
    assert '[domains."example.com"]' in ended.stdout
    assert written(command.sandbox) == before


def test_records_that_are_right_are_left_alone_and_the_config_is_written(command: Command) -> None:
    zone = command.sandbox
    first = dialogue(command, "setup", "example.com", answers=["", "y", ""])
    assert first.code == 0
    (home(command) / "netcup-mailauth.toml").unlink()
    writes = requests_of(zone)["updateDnsRecords"]
    second = dialogue(command, "setup", "example.com", answers=["", ""])
    assert second.code == 0, second.stdout
    assert requests_of(zone)["updateDnsRecords"] == writes
    assert "nothing to do" in told(second)
    assert "example.com" in config(command)
    third = dialogue(command, "setup", "example.com", answers=[""])
    assert third.code == 0
    assert "a table for example.com already" in told(third)


@pytest.mark.parametrize("answer", ["n", "y"])
def test_where_nothing_is_to_be_done_credentials_are_kept_only_on_a_yes(
    command: Command, answer: str
) -> None:
    assert dialogue(command, "setup", "example.com", answers=["", "y", ""]).code == 0
    command.changes = WITHOUT
    typed = ["" if word.startswith("http") else word for word in entered(command.sandbox)]
    ended = dialogue(command, "setup", "example.com", answers=[*typed, answer, ""])
    assert ended.code == 0, ended.stdout
    assert (home(command) / "credentials.toml").exists() == (answer == "y")


def test_reports_to_another_domain_of_the_account_bring_its_consent(command: Command) -> None:
    answers = ["4", "reports@example.net", "", "y", ""]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    names = [record["hostname"] for record in command.sandbox.zone("example.net")]
    assert "example.com._report._dmarc" in names
    assert timer(command, ended).code == 0


def test_an_address_that_mailcow_does_not_know_is_told(command: Command) -> None:
    answers = ["4", "nobody@example.com", "^C"]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert "no mailbox or alias postmaster@example.com" not in told(ended)
    assert "no mailbox or alias nobody@example.com" in told(ended)


def test_the_how_tos_final_all_is_one_number_away(command: Command) -> None:
    ended = dialogue(command, "setup", "example.com", answers=["2", "y", "1", "", "y", ""])
    assert ended.code == 0, ended.stdout
    assert written(command.sandbox)[-1] == "v=spf1 mx a -all"
    assert "drop" in config(command)
    assert timer(command, ended).code == 0


def without_wildcard(command: Command) -> list[dict[str, object]]:
    return [r for r in command.sandbox.zone("example.com") if r["hostname"] != "*"]


def test_a_domain_with_a_slip_is_asked_for_again_and_nothing_else_is(command: Command) -> None:
    command.changes = dict(WITHOUT)
    number, key, password, _, *mailcow = entered(command.sandbox)
    given = [number, key, password, command.sandbox.rest_key, *mailcow]
    answers = ["exmaple.com", "https://example.com/", "EXAMPLE.com.", "", "y", ""]
    ended = dialogue(command, "setup", answers=[*given, *answers])
    assert ended.code == 0, ended.stdout
    assert "exmaple.com" in told(ended)
    assert len(written(command.sandbox)) == 3


def test_the_key_of_the_other_api_can_be_given_once_it_is_clear_that_it_is_needed(
    command: Command,
) -> None:
    command.changes = {"NETCUP_REST_API_KEY": None}
    answers = [command.sandbox.rest_key, "", "y", ""]
    ended = dialogue(command, "setup", "example.org", answers=answers)
    assert ended.code == 0, ended.stdout
    assert len(written(command.sandbox, "example.org")) == 3
    kept = tomllib.loads((home(command) / "credentials.toml").read_text())
    assert list(kept) == ["netcup_rest_api_key"]
    assert timer(command, ended).code == 0


def test_the_ccps_key_can_be_given_once_it_is_clear_that_it_is_needed(command: Command) -> None:
    command.changes = {
        **dict.fromkeys(CCP),
        "NETCUP_REST_API_KEY": command.sandbox.rest_key,
    }
    answers = [*(command.sandbox.env[name] or "" for name in CCP), "", "y", ""]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    assert len(written(command.sandbox)) == 3


def test_a_named_domain_that_netcup_does_not_have_ends_it_with_the_reason(command: Command) -> None:
    command.changes = {"NETCUP_REST_API_KEY": None}
    ended = dialogue(command, "setup", "exmaple.com", answers=[""])
    assert ended.code == 5
    assert "exmaple.com" in told(ended)
    assert list((command.folder).rglob("*.toml")) == []


def test_what_is_no_key_is_not_waited_for_in_silence(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    answers = ["", "none yet", "", "", "", "n"]  # mailcow, key, no more of it, none, proposal, plan
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 2
    assert "It is not whole yet" in told(ended)


def test_a_no_to_the_proposal_is_told_how_to_leave_and_never_taken_for_a_yes(
    command: Command,
) -> None:
    key, how_to = key_record(), HOW_TO
    zone = [*without_wildcard(command), *(text(n, t) for n, t in zip("@", how_to, strict=False))]
    zone = [r for r in zone if "webhosting" not in str(r["destination"])]
    zone += [text("dkim._domainkey", key), text("_dmarc", how_to[1])]
    command.sandbox.set_zone("example.com", zone)
    command.changes = dict(NO_MAILCOW)
    ended = dialogue(command, "setup", "example.com", answers=["", key, "n", "7", "^C"])
    assert ended.code == 130
    assert "Ctrl-C leaves everything as it is" in told(ended)
    assert list((command.folder).rglob("*.toml")) == []


def text(hostname: str, value: str) -> dict[str, object]:
    return {"hostname": hostname, "type": "TXT", "priority": "0", "destination": value}


def test_a_server_without_an_address_is_neither_offered_nor_taken(command: Command) -> None:
    mx = {"hostname": "@", "type": "MX", "priority": "10", "destination": "gone.example.com"}
    mail = {"hostname": "mail", "type": "A", "priority": "0", "destination": "203.0.113.25"}
    command.sandbox.set_zone("example.com", [mx, mail])
    command.changes = dict(NO_MAILCOW)
    answers = ["", RECORD, "gone.example.com", "mail.example.com", "", "y"]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    assert "[gone.example.com]" not in told(ended)
    assert "gone.example.com has no address" in told(ended)
    assert any("a:mail.example.com" in record for record in written(command.sandbox))


@pytest.mark.parametrize(("said", "goes_on"), [("nein", False), ("EXAMPLE.net", True)])
def test_the_next_domain_may_be_declined_or_written_as_one_writes_it(
    command: Command, said: str, goes_on: bool
) -> None:
    more = ["", "y", ""] if goes_on else []
    ended = dialogue(command, "setup", "example.com", answers=["", "y", "x.y", said, *more])
    assert ended.code == 0, ended.stdout
    assert "'x.y' is none of example.net, example.org" in told(ended)
    assert len(written(command.sandbox, "example.net")) == (3 if goes_on else 1)


def test_a_config_that_cannot_be_made_is_told_before_anything_is_asked(command: Command) -> None:
    missing = command.folder / "no such folder"
    ended = dialogue(command, "setup", "example.com", "-c", str(missing / "x.toml"))
    assert ended.code == 2
    assert f"mkdir -p '{missing}'" in told(ended)
    assert requests_of(command.sandbox) == {}


def test_without_a_yes_nothing_is_said_to_be_in_a_config_that_is_not_there(
    command: Command,
) -> None:
    command.changes = dict(WITHOUT)
    ended = dialogue(command, "setup", answers=[*entered(command.sandbox), "", "", "n"])
    assert ended.code == 2
    assert told(ended).endswith("No config was written. What you typed is not kept.")


def test_it_names_no_option_that_it_does_not_have(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    shown = dialogue(command, "setup", "example.com", answers=["", "", "", "n"]).stdout
    command.changes = {}
    shown += dialogue(command, "setup", "example.com", answers=["", "n"]).stdout
    for option in ("--full", "--dkim", "--dmarc"):
        assert option not in shown


def test_reports_go_where_the_config_has_them_of_every_domain(command: Command) -> None:
    here = command.folder / "netcup-mailauth.toml"
    here.write_text('[defaults]\ndmarc = { rua = ["mailto:dmarc@example.com"] }\n')
    ended = dialogue(command, "setup", "example.com", answers=["", "y", ""])
    assert ended.code == 0, ended.stdout
    assert any(r.endswith("rua=mailto:dmarc@example.com") for r in written(command.sandbox))


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/", "/admin"])
def test_mailcows_address_may_have_the_path_of_its_page(command: Command, path: str) -> None:
    command.changes = dict(NO_MAILCOW)
    key = command.sandbox.env["MAILCOW_API_KEY"] or ""
    answers = [command.sandbox.mailcow_url + path, key, "", "y", ""]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    assert tomllib.loads(config(command))["mailcow"]["url"] == command.sandbox.mailcow_url


def test_a_wrong_password_leaves_the_customer_number_as_it_was_typed(command: Command) -> None:
    command.changes = {**WITHOUT, **{n: command.sandbox.env[n] for n in MAILCOW}}
    number, key, password = (command.sandbox.env[name] or "" for name in CCP)
    answers = [number, key, "wrong", "", "", key, password, "", "y", ""]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    assert f"[{number}]" in ended.stdout
    assert password not in ended.stdout


WHOLE = """[mailcow]
url = "{url}"

[domains."example.com"]
spf = "v=spf1 mx a -all"
"""


@pytest.mark.parametrize("agrees", [True, False])
def test_what_the_config_itself_holds_back_ends_in_the_ways_on(
    command: Command, agrees: bool
) -> None:
    """A proposal is never held back; what the config has said for long may be."""
    here = command.folder / "netcup-mailauth.toml"
    here.write_text(WHOLE.format(url=command.sandbox.mailcow_url))
    answers = ["", "y" if agrees else "n"]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == (6 if agrees else 2), ended.stdout
    for way in ("Safer:", "All the same:", "netcup-mailauth apply example.com"):
        assert way in ended.stdout
    said = tomllib.loads(here.read_text())["domains"]["example.com"]
    assert list(said) == (["spf", "dkim", "dmarc"] if agrees else ["spf"])


def test_a_mailcow_without_a_key_is_left_out_once(command: Command) -> None:
    command.changes = {"MAILCOW_API_KEY": None}
    answers = ["", "", RECORD, "", "n"]  # address, key, pasted key, proposal, plan
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 2, ended.stdout
    assert told(ended).count("left out") == 1


def test_a_record_that_revokes_a_key_is_not_taken_for_one(command: Command) -> None:
    command.changes = dict(NO_MAILCOW)
    answers = ["", "v=DKIM1; k=rsa; p=\n", RECORD, "", "y"]
    ended = dialogue(command, "setup", "example.com", answers=answers)
    assert ended.code == 0, ended.stdout
    assert "has no key" in told(ended)
    assert any(record.startswith("v=DKIM1;k=rsa;") for record in written(command.sandbox))
