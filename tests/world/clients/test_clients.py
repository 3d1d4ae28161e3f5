"""Other people's programs as they are, on a sandbox that is netcup to them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.guide import GUIDE, blocks
from tests.process.processes import COMMAND
from tests.sandbox.client import SPF
from tests.world.clients import traffic
from tests.world.clients.netcup import BIN, program
from tests.world.clients.pebble import DIRECTORY

if TYPE_CHECKING:
    from tests.world.clients.netcup import Netcup
    from tests.world.clients.pebble import Pebble

LEXICON = Path(__file__).parent / "lexicon"


def named(netcup: Netcup, number: str, key: str, password: str) -> dict[str, str]:
    """The CCP's credentials by the names of another program."""
    env = netcup.env
    return {
        number: env["NETCUP_CUSTOMER_NUMBER"],
        key: env["NETCUP_API_KEY"],
        password: env["NETCUP_API_PASSWORD"],
    }


def test_the_guide_s_page_says_how_to_get_there(netcup: Netcup, tmp_path: Path) -> None:
    """Its lines, as a shell reads them; what follows is in the network that they make."""
    program("curl", "curl")
    block = blocks(GUIDE / "programs.md")[0]
    asks = "for n in $(seq 300); do curl -sf $URL -d '{}' >answer && break; sleep 0.1; done"
    lines = block.text + "URL=https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON\n"
    lines += "until CURL_CA_BUNDLE=$(ls $TMPDIR/netcup-sandbox-*/ca.pem 2>/dev/null)\n"
    lines += "do sleep 0.1; done; export CURL_CA_BUNDLE\n" + asks + "\nkill %1; wait\n"
    (tmp_path / "page.sh").write_text(lines)
    env = {"PATH": f"{COMMAND.parent}:{BIN}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(tmp_path)}
    with (tmp_path / "page.sh").open() as script:
        ended = subprocess.run(
            ["bash"],
            stdin=script,
            cwd=tmp_path,
            env={**env, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert "A netcup on this machine" in ended.stdout, ended.stderr
    assert json.loads((tmp_path / "answer").read_text())["statuscode"] == 4013


@pytest.fixture(scope="module")
def lexicon(netcup: Netcup, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What dns-lexicon's own tests come to, and the folder in which they record what was said."""
    prefix = "LEXICON_NETCUP_AUTH_"
    folder = tmp_path_factory.mktemp("lexicon")
    suite = shutil.copytree(LEXICON, folder / "suite")  # away from what our tests are set to
    recorded = folder / "recorded"  # not there yet, so that nothing is played back
    said = netcup.run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"),
        suite / "test_netcup.py",
        env={
            **named(netcup, f"{prefix}CUSTOMER_ID", f"{prefix}API_KEY", f"{prefix}API_PASSWORD"),
            "LEXICON_LIVE_TESTS": "true",
            "LEXICON_VCRPY_CASSETTES_PATH": str(recorded),
            "PYTHONPATH": str(suite),
        },
    )
    return said, recorded


def test_dns_lexicon_s_own_tests(lexicon: tuple[str, Path]) -> None:
    """As with its recordings of netcup: 25 pass, three it skips by itself."""
    said, _ = lexicon
    assert re.search(r"^25 passed, 3 skipped", said, re.MULTILINE), said


def test_what_they_were_answered_is_what_netcup_answered(lexicon: tuple[str, Path]) -> None:
    """The same 135 answers: fields in their order, texts, codes, and steps of the serial."""
    _, recorded = lexicon
    now, then = traffic.summary(recorded), json.loads(traffic.RECORDED.read_text())
    assert sum(map(len, then["tests"].values())) == 135
    assert now["lines"] == then["lines"]
    assert now["tests"] == then["tests"]
    # The test that was run last is another one, as the rest are in another order.
    both = now["steps"].keys() & then["steps"].keys()
    assert len(both) >= 22
    assert {test: now["steps"][test] for test in both} == {t: then["steps"][t] for t in both}


NC_DNSAPI = """
import os, nc_dnsapi
account = [os.environ[name] for name in ("NUMBER", "KEY", "PASSWORD")]
with nc_dnsapi.Client(*account) as client:
    client.add_dns_record("example.com", nc_dnsapi.DNSRecord("nc", "TXT", "by nc_dnsapi"))
    print([record.destination for record in client.dns_records("example.com")])
    print(client.dns_zone("example.com").name)
"""


def test_nc_dnsapi(netcup: Netcup) -> None:
    account = named(netcup, "NUMBER", "KEY", "PASSWORD")
    said = netcup.run(sys.executable, "-c", NC_DNSAPI, env=account)
    assert "'by nc_dnsapi'" in said
    assert SPF in said
    assert said.endswith("\nexample.com\n")
    assert [r["destination"] for r in netcup.zone("example.com") if r["hostname"] == "nc"] == [
        "by nc_dnsapi"
    ]


def test_dnssync_nc_shows_in_a_dry_run_what_it_then_does(netcup: Netcup) -> None:
    """It owns the whole zone, and deletes what its file does not list."""
    credentials = netcup.folder / "dnssync.json"
    credentials.write_text(
        json.dumps(
            {
                "json_endpoint": "https://ccp.netcup.net/run/webservice/servers/endpoint.php?JSON",
                **named(netcup, "customer", "api_key", "api_password"),
            }
        )
    )
    command = (BIN / "dnssync-nc-cli", "--credentials", credentials)
    before = netcup.zone("example.net")
    pulled = netcup.run(*command, "--action", "pull", "example.net")
    layout = netcup.folder / "example.net.txt"
    kept = [line for line in pulled.splitlines() if "google-site-verification" not in line]
    layout.write_text("\n".join([*kept, "\tTXT\t_dmarc\tv=DMARC1;p=none", ""]))

    dry = netcup.run(*command, "--action", "push", layout.name)
    assert netcup.zone("example.net") == before
    done = netcup.run(*command, "--action", "push", "--commit", layout.name)
    assert done == dry
    assert [line[0] for line in done.splitlines()] == ["-", "+"]
    values = {record["destination"] for record in netcup.zone("example.net")}
    gone = {record["destination"] for record in before} - values
    assert [value.partition("=")[0] for value in gone] == ["google-site-verification"]
    assert values - {record["destination"] for record in before} == {"v=DMARC1;p=none"}


CERTIFICATE_FOR = ("{0}", "*.{0}", "mail.{0}")


@pytest.mark.parametrize("domain", ["example.com", "example.org"], ids=["ccp", "clouddns"])
def test_certbot_gets_a_certificate(netcup: Netcup, pebble: Pebble, domain: str) -> None:
    account = named(
        netcup, "dns_netcup_customer_id", "dns_netcup_api_key", "dns_netcup_api_password"
    )
    if domain == "example.org":
        account = {"dns_netcup_api_v1_key": netcup.banner["rest_key"]}
    ini = netcup.folder / "certbot.ini"
    ini.write_text("".join(f"{name} = {value}\n" for name, value in account.items()))
    ini.chmod(0o600)
    before = netcup.zone(domain)
    own = netcup.folder / "certbot"
    names = [name.format(domain) for name in CERTIFICATE_FOR]
    netcup.run(
        *(BIN / "certbot", "certonly", "-n", "--agree-tos", "-m", "a@example.com"),
        *("--server", DIRECTORY, "--config-dir", own, "--work-dir", own, "--logs-dir", own),
        *("-a", "dns-netcup", "--dns-netcup-credentials", ini),
        *("--dns-netcup-propagation-seconds", "0"),
        *(word for name in names for word in ("-d", name)),
        env=pebble.env,
    )
    certificate = (own / "live" / domain / "cert.pem").read_text()
    assert pebble.names_of(certificate) == set(names)
    assert netcup.zone(domain) == before


def test_lego_gets_a_certificate(netcup: Netcup, pebble: Pebble) -> None:
    lego = program("lego", "lego")
    before = netcup.zone("example.net")
    own = netcup.folder / "lego"
    account = named(netcup, "NETCUP_CUSTOMER_NUMBER", "NETCUP_API_KEY", "NETCUP_API_PASSWORD")
    netcup.run(
        *(lego, "--path", own, "--server", DIRECTORY, "--accept-tos", "--email", "a@example.com"),
        *("--dns", "netcup", "--dns.disable-cp"),
        *("--dns.resolvers", netcup.env["NETCUP_MAILAUTH_RESOLVER"]),
        *("--domains", "*.example.net", "run"),
        env={**account, **pebble.env, "NETCUP_POLLING_INTERVAL": "1"},
    )
    certificate = (own / "certificates" / "_.example.net.crt").read_text()
    assert pebble.names_of(certificate) == {"*.example.net"}
    assert [r["destination"] for r in netcup.zone("example.net")] == [
        r["destination"] for r in before
    ]
