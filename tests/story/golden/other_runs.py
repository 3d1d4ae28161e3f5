"""Runs of every other command, of configs, and of many domains."""

from __future__ import annotations

from tests.story.golden.acts import (
    BARE,
    CCP,
    NEW_KEY,
    NO_KEY,
    READ_WRITE,
    SHORT_TTL,
    THREE,
    deleted,
    fault,
    mailcow_fault,
    spf_replaced,
)
from tests.story.golden.stage import Run, Story

MANY = tuple(f"example-{number}.de" for number in range(6))

WHOLE = """\
[domains."example.com"]
spf = { record = "v=spf1 mx a -all", drop = ["include:_spf.webhosting.systems"] }
dmarc = { record = "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com" }
dkim = { source = "mailcow" }
"""
OF_PARTS = """\
[defaults]
dmarc = { policy = "none", rua = ["mailto:postmaster@a.example"] }
dkim = { source = "mailcow" }

[domains."a.example"]
spf = { require = ["ip4:203.0.113.99"] }

[domains."b.example"]
spf = { all = "fail", drop = ["include:_spf.webhosting.systems"] }
allow = ["spf-drops-sender", "spf-excludes-own-server"]

[domains."c.example"]
"""
ROTATION = """\
[mailcow]
helper_domain = "helper.example"

[rotation]
between_rounds = "1s"
negative_ttl = "0.1s"
grace = "2s"
retry = "0.1s"
"""
"""Waits that are long enough for a busy machine, too, to say first that it waits."""
HELPER = {"helper.example": None}
SHORT = "--allow rotation-short-grace"

STORIES = (
    # Records
    Story(
        "records",
        "listed",
        (
            "records example.com",
            "records example.com --mail",
            "records example.com --format json",
            "records example.com --format markdown",
            "records example.com --mail --format json",
            "records EXAMPLE.com. -v",
            "records",
            "records not_a_domain",
        ),
    ),
    # Configs and usage
    Story(
        "config",
        "a domain that is wanted whole",
        (
            "plan",
            "plan example.com --spf-require ip4:203.0.113.99",
            "apply --yes",
            "apply --yes",
            "apply -q --yes",
            "check",
            "undo example.com --yes",
            "plan other.example",
        ),
        files={"netcup-mailauth.toml": WHOLE},
        apis=CCP,
    ),
    Story(
        "config",
        "mistakes, one a line",
        (
            "plan",
            "plan -c wrong.toml",
            "plan -c missing.toml",
            "plan -c syntax.toml",
            "apply -c syntax.toml --yes",
            "check -c wrong.toml",
            "undo example.com -c wrong.toml --yes",
        ),
        files={
            "wrong.toml": '[default]\nx = 1\n[domains."example.com"]\nspf = 7\n'
            'dmarc = {policy = "harsh"}\n'
            'dkim = { source = "elsewhere" }\n[domains."a_b"]\n',
            "syntax.toml": "[domains\n",
        },
        apis=CCP,
    ),
    Story(
        "config",
        "what is no option, no command and no wish",
        (
            "",
            "--version",
            "plna example.com",
            "--nonsense",
            "plan example.com --spff x",
            "plan",
            "plan example.com",
            "apply {mild} --yes",
            "plan example.com --spf 'v=spf2 mx'",
            "plan example.com --spf 'v=spf1 mx mx: -all'",
            "plan example.com --dmarc 'v=DMARC1;p=harsh'",
            "plan example.com --dkim nonsense",
            "plan example.com --dkim file:missing.pem",
            "plan example.com --dkim 'record:v=DKIM1;p='",
            "plan example.com --spf 'v=spf1 -all' --spf-require mx",
            "plan example.com --dmarc 'v=DMARC1;p=none' --dmarc-policy none",
            "plan example.com {mild} --allow no-such-code",
            "plan a_b.example {mild}",
            "plan example.com {mild} --shard 3/2",
            "plan example.com {mild} --jobs 99",
            "check --timeout never",
            "apply example.com {mild} --wait --timeout -1 --yes",
            "undo",
            "undo example.com --run 20260101T000000Z-abcdef",
            "show",
            "rotate",
            "rotate example.com --abort --continue",
            "sandbox --publish-delay 1,2",
            "sandbox --zone nonsense",
            "sandbox --domain a.b.c",
            "demo --nonsense",
            "completion bash",
            "completion tcsh",
        ),
        apis=CCP,
    ),
    Story(
        "config",
        "a resolver and name servers that are none",
        (
            "plan example.com {mild} --resolver 'no such host'",
            "check example.com --nameserver 'no such host'",
            "check example.com --nameserver 127.0.0.1:1",
            "plan intern.example.com {mild} --resolver 127.0.0.1:1",
        ),
        apis=CCP,
    ),
    # Many domains
    Story(
        "many",
        "one config, three domains",
        (
            "plan",
            "plan --format json",
            "plan --format markdown",
            "plan a.example",
            "apply --yes --changed",
            "apply --yes --changed",
            "apply -q --yes",
            "plan --shard 0/2",
            "plan --shard 1/2 --metrics-file run.prom",
            "check",
            "check --changed",
            "undo --list",
            "undo --list --format json",
        ),
        domains=THREE,
        files={"netcup-mailauth.toml": OF_PARTS},
    ),
    Story(
        "many",
        "one fails, and the others go on",
        (
            fault("write", "drop", after=1),
            "apply --yes --metrics-file run.prom",
            "apply --yes",
        ),
        domains=THREE,
        files={"netcup-mailauth.toml": OF_PARTS},
    ),
    Story(
        "many",
        "one is not there, one is refused by the guard",
        (
            "apply a.example foreign.example b.example --spf 'v=spf1 mx a -all' --yes",
            "apply a.example foreign.example b.example --spf 'v=spf1 mx a -all' --yes --allow "
            "spf-drops-sender:a.example --format json",
            "apply a.example b.example --spf 'v=spf1 mx a -all' --yes --allow spf-drops-sender",
            Run("apply b.example c.example {mild}", typed="n\n"),
            Run("apply b.example c.example {mild}", typed="y\n"),
        ),
        domains=THREE,
    ),
    Story(
        "many",
        "side by side",
        (
            f"plan {' '.join(MANY)} {{mild}} --jobs 3 --rate 0",
            f"apply {' '.join(MANY)} {{mild}} --jobs 3 --rate 0 --yes",
            f"apply {' '.join(MANY)} {{mild}} --jobs 3 --rate 0 --yes --format json --changed",
        ),
        domains=MANY,
        mixed=True,
    ),
    Story(
        "many",
        "the account is locked in the middle of the run",
        (
            fault("read", "lockout", after=1),
            "plan --format text",
            "apply --yes",
        ),
        domains=THREE,
        files={"netcup-mailauth.toml": OF_PARTS},
        apis=CCP,
    ),
    Story(
        "many",
        "the login is refused for all",
        ("plan", "apply --yes --metrics-file run.prom"),
        domains=THREE,
        files={"netcup-mailauth.toml": OF_PARTS},
        env={"NETCUP_API_KEY": "x" * 50, "NETCUP_REST_API_KEY": None},
        apis=CCP,
    ),
    # What receivers see
    Story(
        "check",
        "before and after",
        (
            "check example.com",
            "check example.com {wish}",
            "check example.com {wish} --format json",
            "apply example.com {wish} --yes",
            "check example.com {wish}",
            "check example.com {wish} --format json",
            "check example.com {wish} --format markdown --full",
            "check -q example.com {wish}",
            "check example.com {wish} --metrics-file run.prom",
            "check example.com {wish} --wait --timeout 10",
            "check example.com {spf} --wait --timeout 0.2",
            NEW_KEY,
            "check example.com {dkim}",
            "check example.com {mild} --wait --timeout 0.2",
            "check foreign.example",
            "check foreign.example {mild}",
        ),
    ),
    Story(
        "check",
        "without credentials, by name",
        (
            "check example.com",
            "check example.com --kind spf",
            "check example.com --dmarc 'v=DMARC1;p=none' --format json",
        ),
        env={**BARE},
    ),
    # Undo
    Story(
        "undo",
        "step by step, and back again",
        (
            "undo example.com --yes",
            "undo --list",
            "apply example.com {spf} --yes",
            "apply example.com {mild} --yes",
            "undo --list",
            "undo --list example.com --format json",
            Run("undo example.com", typed="n\n"),
            "undo example.com",
            "undo example.com --yes",
            "undo example.com --yes --allow spf-drops-sender",
            "undo example.com --yes",
            "undo example.com --yes --format json",
            "undo example.com --to {entry0} --yes",
            "undo example.com --to nonsense --yes",
            "undo example.com --to {entry0} --run {run0}",
            "undo --list other.example",
        ),
    ),
    Story(
        "undo",
        "stale, already back, and stopped",
        (
            "apply example.com {mild} --yes",
            spf_replaced("v=spf1 mx ip4:192.0.2.9 ~all"),
            "undo example.com --yes",
            "undo example.com --yes --format json",
            spf_replaced("v=spf1 mx a include:_spf.webhosting.systems ~all"),
            "undo example.com --yes",
            "apply example.com {dkim} --yes",
            "undo example.com --yes",
            "undo example.com --yes --mailcow http://127.0.0.1:1",
            "undo example.com --yes --allow dkim-removes-signing-key",
        ),
    ),
    Story(
        "undo",
        "a whole run",
        (
            "apply --yes",
            Run("undo --run {run0}", typed="n\n"),
            fault("write", "drop"),
            "undo --run {run0} --yes --allow dkim-removes-signing-key",
            "undo --run {run0} --yes --allow dkim-removes-signing-key --format json",
            "undo --run {run0} --yes --allow dkim-removes-signing-key",
            "undo --list",
            "undo a.example --run {run0} --yes",
        ),
        domains=THREE,
        files={"netcup-mailauth.toml": OF_PARTS},
    ),
    Story(
        "undo",
        "the rest of the zone is gone",
        (
            "undo example.com --lost",
            "apply example.com {mild} --yes",
            Run("undo example.com --lost", typed="y\n"),
            deleted("A", "MX"),
            "undo example.com --lost",
            "undo example.com --lost --yes",
            Run("undo example.com --lost", typed="n\n"),
            fault("write", "apply-then-drop"),
            Run("undo example.com --lost", typed="y\n"),
            Run("undo example.com --lost --format json", typed="y\n"),
        ),
    ),
    # Credentials
    Story(
        "auth",
        "entered, tried and kept",
        (
            "auth",
            "auth --check",
            Run(
                "auth",
                typed="12345\n{NETCUP_API_KEY}\n{NETCUP_API_PASSWORD}\n{rest_key}\n\n"
                "{MAILCOW_API_KEY}\n",
            ),
            "auth --check",
            "auth --check -q",
            "plan example.com {mild}",
            Run("auth", typed="\n\n\n\n\n\n"),
            Run("auth", typed="\n\nnonsense\n\n\n\n\n"),
            Run("auth", typed="\n" + "w" * 50 + "\n\n\n\n\n"),
            Run("auth", typed="abc\n12345\n"),
        ),
        env={**BARE},
    ),
    Story(
        "auth",
        "what is there does not work",
        ("auth --check", "auth --check --mailcow http://127.0.0.1:1"),
        env={"NETCUP_API_PASSWORD": "wrong" * 10, "NETCUP_REST_API_KEY": "w" * 64},
        apis=CCP,
    ),
    Story(
        "auth",
        "a key that is asked for when it is needed",
        (
            Run("plan example.com {dkim}", typed="{MAILCOW_API_KEY}\n"),
            Run("plan example.com {dkim}", typed="\n"),
            "plan example.com {dkim}",
        ),
        env={"MAILCOW_API_KEY": None},
    ),
    # A starter config
    Story(
        "init",
        "written from what is live",
        (
            "init example.com",
            "init example.com",
            "plan",
            "init",
            "init --mailcow http://127.0.0.1:1",
            "init foreign.example",
        ),
    ),
    Story(
        "init",
        "every domain that mailcow serves",
        ("init", "plan", "init a.example"),
        domains=THREE,
        apis=CCP,
    ),
    Story(
        "init",
        "without a mailcow",
        ("init example.com", "init"),
        env={"MAILCOW_URL": None, "MAILCOW_API_KEY": None},
        apis=CCP,
    ),
    Story(
        "mailcow",
        "that fails",
        (
            mailcow_fault("get/dkim", "500"),
            "plan example.com {dkim}",
            mailcow_fault("get/dkim", "denied"),
            "plan example.com {dkim}",
            mailcow_fault("get/dkim", "drop-before"),
            "plan example.com {dkim}",
            "plan example.com {dkim} --mailcow http://127.0.0.1:1",
            NO_KEY,
            "plan example.com {dkim}",
            "plan other.example {dkim}",
        ),
        apis=CCP,
    ),
    # Rotation
    Story(
        "rotate",
        "begun, looked at, and aborted",
        (
            READ_WRITE,
            SHORT_TTL,
            "rotate --status",
            "rotate --continue",
            "rotate example.com --dry-run",
            "apply example.com {dkim} --yes",
            "rotate example.com --dry-run",
            f"rotate example.com --dry-run {SHORT}",
            "rotate example.com",
            "rotate example.com --yes",
            Run(f"rotate example.com {SHORT}", typed="n\n"),
            f"rotate example.com --yes {SHORT}",
            "rotate --status",
            "rotate --status --format json",
            "plan example.com {dkim}",
            "undo example.com --yes",
            Run("rotate example.com --abort", typed="n\n"),
            "rotate example.com --abort --yes",
            "rotate --status",
            "rotate other.example --abort --yes",
            "rotate --older-than nonsense",
            "rotate --older-than 180d --yes",
            f"rotate example.com --yes --wait --timeout 30 {SHORT}",
            "rotate --status",
        ),
        files={"netcup-mailauth.toml": ROTATION},
        keys=HELPER,
    ),
    Story(
        "rotate",
        "refused",
        (
            "rotate example.com --yes",
            "rotate foreign.example --yes",
            "rotate example.com --yes --signer-command false --helper-domain helper.example",
            "rotate example.com --yes --grace nonsense",
            READ_WRITE,
            "rotate example.com --yes",
            "rotate example.com --yes --helper-domain example.com",
        ),
        apis=CCP,
    ),
    Story("demo", "the story it tells", ("demo", "demo -c x", "demo x"), apis=CCP),
    # A program that stays
    Story(
        "sandbox",
        "the sandbox cannot start",
        ("sandbox --domain a.b.c", "sandbox --zone a=b", "sandbox --zone nonsense"),
        apis=CCP,
    ),
)
