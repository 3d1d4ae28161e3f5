"""The config file: where it is found, and every mistake in it told at once, in plain words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from netcup_mailauth.errors import ConfigError, ExitCode
from netcup_mailauth.files import CONFIG_NAME, config_folder
from netcup_mailauth.policy import Config, DkimPolicy, SpfPolicy, layered
from netcup_mailauth.settings import LoadedConfig
from netcup_mailauth.settings.config import (
    load,
)
from netcup_mailauth.settings.mistakes import KINDS, lines_of, of_the_models, told

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "C4n4ry-5ecret"
SPF = 'spf = { record = "v=spf1 mx -all" }'
JARGON = re.compile(r"[Ii]nput should|instance of|valid dictionary|Policy|literal|model|pydantic")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(text: str, path: Path) -> list[str]:
    """What is said about a config, without the lines, after a look at how it is said."""
    with pytest.raises(ConfigError) as caught:
        load(write(path, text), {})
    error = caught.value
    assert error.exit_code == ExitCode.USAGE
    assert str(path) in error.what
    assert error.__context__ is None, "it would hold what was written, secrets and all"
    for line in error.problems:
        assert f"  {line}" in error.what.split("\n")
        assert line.isprintable()
        assert not JARGON.search(line), line
    count = len(error.problems)
    assert not count or (f"{count} mistakes:" if count > 1 else "a mistake:") in error.what
    numbered = [re.fullmatch(r"line (\d+): (.*)", line) for line in error.problems]
    found = [match for match in numbered if match]
    assert len(found) == count, error.problems
    assert [int(match[1]) for match in found] == sorted(int(match[1]) for match in found)
    return [match[2] for match in found]


def of(config: LoadedConfig, domain: str = "example.com") -> DkimPolicy:
    dkim = config.config.domains[domain].dkim
    assert isinstance(dkim, DkimPolicy)
    return dkim


# --- Which file -----------------------------------------------------------------------------------


def one(domain: str) -> str:
    return f'[domains."{domain}"]\n{SPF}\n'


def test_the_file_named_is_the_one_taken(here: Path, tmp_path: Path) -> None:
    write(here / CONFIG_NAME, one("here.example"))
    named = write(tmp_path / "c.toml", one("named.example"))
    loaded = load(named, {})
    assert (list(loaded.config.domains), loaded.path, loaded.trusted) == (
        ["named.example"],
        named,
        True,
    )


def test_the_current_folder_comes_before_the_users_and_is_not_trusted(
    here: Path, tmp_path: Path
) -> None:
    write(here / CONFIG_NAME, one("here.example"))
    write(tmp_path / "x" / "netcup-mailauth" / CONFIG_NAME, one("own.example"))
    loaded = load(None, {"XDG_CONFIG_HOME": str(tmp_path / "x")})
    assert (list(loaded.config.domains), str(loaded.path), loaded.trusted) == (
        ["here.example"],
        CONFIG_NAME,
        False,
    )


@pytest.mark.parametrize("by", ["XDG_CONFIG_HOME", "HOME"])
def test_the_users_own_is_trusted(here: Path, tmp_path: Path, by: str) -> None:
    base = tmp_path / "x" if by == "XDG_CONFIG_HOME" else Path.home() / ".config"
    own = write(base / "netcup-mailauth" / CONFIG_NAME, one("own.example"))
    loaded = load(None, {by: str(tmp_path / "x")})
    assert (list(loaded.config.domains), loaded.path, loaded.trusted) == (
        ["own.example"],
        own,
        True,
    )


def test_without_any_file_the_config_is_empty(here: Path) -> None:
    (here / CONFIG_NAME).mkdir()  # a folder of that name is no config
    assert load(None, {}) == LoadedConfig(Config())


def test_a_relative_xdg_folder_does_not_count(here: Path) -> None:
    """It would make a file below the current folder a trusted one."""
    write(here / "x" / "netcup-mailauth" / CONFIG_NAME, one("x.example"))
    assert load(None, {"XDG_CONFIG_HOME": "x"}).path is None
    assert config_folder({"XDG_CONFIG_HOME": "x"}) == Path.home() / ".config/netcup-mailauth"


def test_a_user_without_a_home_has_no_config_of_their_own(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here / "netcup-mailauth" / CONFIG_NAME, one("x.example"))

    def unknown(_path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert load(None, {}) == LoadedConfig(Config())


def test_a_folder_that_cannot_be_looked_into_holds_no_config(here: Path) -> None:
    assert load(None, {"XDG_CONFIG_HOME": "/" + "x" * 5000}).path is None


# --- Files that are no config ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"domains = {", "not valid TOML"),
        (b"a = \x01", "not valid TOML"),
        (b"a = 1\na = 2", "the same key or table is there before"),
        (b"a = " + CANARY.encode(), "not valid TOML"),
        (b"a = '''" + CANARY.encode(), "not valid TOML"),
        (CANARY.encode(), "not valid TOML"),
        (b"a = " + b"1" * 5000, "not valid TOML"),
        (b"a = " + b"[" * 50_000, "nested too deeply"),
        (b"a = '\xe4'", "not UTF-8"),
        (b"\xff\xfea\0", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(path) in caught.value.what
    assert words in caught.value.what
    assert CANARY not in f"{caught.value.what} {caught.value.advice}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"c\.toml cannot be read: No such file"):
        load(tmp_path / "c.toml", {})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


# --- Mistakes in it -------------------------------------------------------------------------------

D = '[domains."example.com"]'
BEGINS = f"; the table of a domain begins with {D}"
KIND = "should be a text, a table, or false"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("domains = 3", [f"domains: should be a table, not 3{BEGINS}"]),
        ("[[domains]]\na = 1", [f"domains: should be a table, not a list{BEGINS}"]),
        ('mailcow = "x"', ["mailcow: should be a table, not a text"]),
        ("defaults = []", ["defaults: should be a table, not a list"]),
        ("[domains]\n'example.com' = 3", ['[domains] "example.com": should be a table, not 3']),
        (f"{D}\nspf = true", [f"{D} spf: {KIND}, not true"]),
        (f"{D}\nspf = 0", [f"{D} spf: {KIND}, not 0"]),
        (f"{D}\ndkim = 0.0", [f"{D} dkim: {KIND}, not 0.0"]),
        (f"{D}\ndmarc = []", [f"{D} dmarc: {KIND}, not a list"]),
        ("[defaults]\nspf = 1979-05-27", [f"[defaults] spf: {KIND}, not 1979-05-27"]),
        (
            f"{D}\nspf.record = 3",
            ['[domains."example.com".spf] record: should be a text in quotes, not 3'],
        ),
        (
            f"{D}\nspf.rekord = ''",
            ['[domains."example.com".spf] rekord: unknown key; is record meant?'],
        ),
        ("[defaults.dkim]\nx = 1", ["[defaults.dkim] x: unknown key"]),
        (f"{D}\nmx = 3", [f"{D} mx: unknown key"]),
        (
            f"[mailcow]\napi_key = '{CANARY}'",
            ["[mailcow] api_key: unknown key; is api_key_file meant?"],
        ),
        (
            "[mailcow]\nurl = 3",
            ["[mailcow] url: should be a text in quotes, not a number"],
        ),
        (
            "[mailcow]\napi_key_file = true",
            ["[mailcow] api_key_file: should be a text in quotes, not true"],
        ),
        ("[defaults]\nzone = 'x.de'", ["[defaults] zone: belongs into a domain's table"]),
        ("[defaults]\nparked = true", ["[defaults] parked: belongs into a domain's table"]),
        (
            f"{D}\nserver = 'a.example'",
            [f'{D} server: should be a list, not "a.example"; write ["a.example"]'],
        ),
        (
            f"{D}\nserver = ['a.example', 3]",
            [f"{D} server: entry 2: should be a text in quotes, not 3"],
        ),
        (f"{D}\nparked = 'x'", [f'{D} parked: should be true or false, not "x"']),
        (
            f"{D}\nspf.all = 'x'\nspf.require = ['mx', 3]",
            [
                """[domains."example.com".spf] all: should be 'fail', 'softfail' or 'neutral', """
                'not "x"',
                '[domains."example.com".spf] require: entry 2: should be a text in quotes, not 3',
            ],
        ),
        (f"{D}\nttl = '300'", [f'{D} ttl: should be a whole number, not "300"']),
        ("[rotation]\nsigner_command = []", ["[rotation] signer_command: should not be empty"]),
        (
            f"{D}\nspf.all = '-all'",
            [
                """[domains."example.com".spf] all: should be 'fail', 'softfail' or 'neutral', """
                'not "-all"; is fail meant?'
            ],
        ),
        (
            f"{D}\ndmarc.policy = 'quarantaine'",
            [
                """[domains."example.com".dmarc] policy: should be 'none', 'quarantine' or """
                """'reject', not "quarantaine"; is quarantine meant?"""
            ],
        ),
        ("netkup = 1\nfoo.bar = 2", ["netkup: unknown key", "foo: unknown key"]),
        (
            "[domains.example.com]\nspf = false",
            ['[domains] example: the name of a domain needs quotes: [domains."example.com"]'],
        ),
        (
            "[domains.'EXAMPLE.com']\n[domains.'example.com.']",
            ['[domains] "example.com.": is the same domain as "EXAMPLE.com"'],
        ),
        (
            "[domains.'bücher.example']\n[domains.'xn--bcher-kva.example']",
            ['[domains] "xn--bcher-kva.example": is the same domain as "bücher.example"'],
        ),
        ('"a\\u001b[2J\\nb" = 1', ["a\\x1b[2J\\nb: unknown key"]),
        (f"{D}\n'a.b' = 1", [f'{D} "a.b": unknown key']),
        (
            "[domains.mail.example.com.spf]\nrecord = 'v=spf1 -all'",
            ['[domains] mail: the name of a domain needs quotes: [domains."mail.example.com"]'],
        ),
        (
            f"{D}\nspf = ['mx']",
            [f"{D} spf: {KIND}, not a list; terms go into {{ require = [...] }}"],
        ),
        (
            f"{D}\nspf.include = ['x.de']",
            ['[domains."example.com".spf] include: unknown key; terms go into require = ["..."]'],
        ),
        (
            f"{D}\ndmarc.sp = 'none'",
            ['[domains."example.com".dmarc] sp: unknown key; is subdomain_policy meant?'],
        ),
        (
            f"[mailcow]\nhost = 'x'\nkey = '{CANARY}'",
            [
                "[mailcow] host: unknown key; is url meant?",
                "[mailcow] key: unknown key; is api_key_file meant?",
            ],
        ),
        (
            f"{D}\ndomains_from = 'mailcow'",
            [
                f"{D} domains_from: unknown key; it stands at the top of the file, before the "
                "first table"
            ],
        ),
        (
            f"{D}\ndkim = 'https://mail.example.com/'",
            [
                f"{D} dkim: The DKIM source 'https://mail.example.com/' is an address. For the key "
                'of a mailcow write "mailcow", and in [mailcow]: url = "https://mail.example.com/"'
            ],
        ),
        (
            f"{D}\ndkim = 'record:v=DKIM1'",
            [
                f"{D} dkim: The DKIM record 'record:v=DKIM1' ends before its key. Give the whole "
                "record: v=DKIM1;k=rsa;p=..."
            ],
        ),
        (
            f"{D}\ndmarc = 'v=DMARC1'",
            [
                f"{D} dmarc: The DMARC record ends after v=DMARC1; the policy is missing. Give the "
                "whole record, as in v=DMARC1;p=none"
            ],
        ),
        (
            f"{D}\nspf = 'mx -all'",
            [
                f'{D} spf: SPF: "mx" is not how an SPF record begins (RFC 7208 4.5). Begin it with '
                "v=spf1 and a blank, with nothing in front."
            ],
        ),
    ],
)
def test_one_line_for_one_mistake(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(text, tmp_path / "c.toml") == expected


@pytest.mark.parametrize("key", ["selector", "server", "zone", "spf", "dmarc", "dkim", "rua"])
@pytest.mark.parametrize(
    "secret", ["-----BEGIN PRIVATE KEY-----MIIEvQ", "MIIEvQIBADANBgkqhkiG" * 4]
)
def test_a_key_in_the_place_of_something_else_is_not_shown(
    tmp_path: Path, key: str, secret: str
) -> None:
    lines = {"selector": f"dkim.selector = '{secret}'", "server": f"server = ['{secret}']"}
    lines["rua"] = f"dmarc.rua = ['{secret}']"
    (line,) = problems(f"{D}\n{lines.get(key, f'{key} = {secret!r}')}", tmp_path / "c.toml")
    assert "MIIEvQ" not in line


@pytest.mark.parametrize(
    "secret",
    [
        "1935AF-386B4C-B5FC42-1F1A63-536927",
        "wwiyGNjJFSDi0t5lHfJ3J7SdDhWE4z7fuShreTrOiCvnQECFhM",
        "hunter2",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize("table", [D, "[defaults]"])
def test_a_secret_in_the_place_of_a_code_is_not_shown(
    tmp_path: Path, table: str, secret: str
) -> None:
    (line,) = problems(f"{table}\nallow = ['spf-ptr', '{secret}']", tmp_path / "c.toml")
    assert "entry 2: there is no finding of that name" in line
    assert secret not in line


def test_a_key_of_mailcow_in_the_place_of_its_file_is_not_shown(tmp_path: Path) -> None:
    key = "-".join(["A1B2C3"] * 5)
    (line,) = problems(f"[mailcow]\napi_key_file = '{key}'", tmp_path / "c.toml")
    assert "is a key itself" in line
    assert "A1B2C3" not in line


def test_a_password_in_an_address_in_the_place_of_a_key_is_not_shown(tmp_path: Path) -> None:
    (line,) = problems(f"{D}\ndkim = 'https://me:{CANARY}@x.de/?k={CANARY}'", tmp_path / "c.toml")
    assert CANARY not in line
    assert "https://x.de/" in line


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (
            f"{D}\nparked = true\nspf.record = 'v=spf1 -all'",
            '[domains] "example.com": ',
            "a parked domain",
        ),
        (f"{D}\ndmarc.record = 'v=DMARC1;p=none'\ndmarc.policy = 'none'", f"{D} dmarc: ", "policy"),
        ("[domains.nonsense]", "[domains] nonsense: ", "not a domain name"),
        ("[domains.'192.0.2.1']", '[domains] "192.0.2.1": ', "an address"),
        (f"{D}\nzone = 'a b'", f"{D} zone: ", "not a domain name"),
        (f"{D}\nzone = 'example.org'", f"{D} zone: ", "example.com does not lie in "),
        (f"{D}\nzone = 'ample.com'", f"{D} zone: ", "example.com does not lie in "),
        (f"{D}\nallow = ['spf-drops-sendr']", f"{D} allow: ", "is spf-drops-sender meant?"),
        (f"{D}\nallow = ['spf-ptr', 'x']", f"{D} allow: ", 'entry 2: there is no finding "x"'),
        ("[defaults]\nallow = ['x']", "[defaults] allow: ", "no finding"),
        (f"{D}\nspf.record = 'v=spf1 foo'", '[domains."example.com".spf] record: ', "foo"),
        (f"{D}\nspf.record = 'a {{x}}'", '[domains."example.com".spf] record: ', "SPF"),
        ("[defaults]\ndmarc.record = 'v=DMARC1'", "[defaults.dmarc] record: ", "policy"),
        (f"{D}\ndkim.selector = 'a b'", '[domains."example.com".dkim] selector: ', "selector"),
        (f"{D}\ndkim.source = '/k.pem'", '[domains."example.com".dkim] source: ', "file:/k.pem"),
        (f"{D}\ndkim.source = ''", '[domains."example.com".dkim] source: ', "none of the known"),
        ("[defaults]\ndkim.source = 'malicow'", "[defaults.dkim] source: ", "mailcow"),
        ("[mailcow]\nurl = 'mail.example.com'", "[mailcow] url: ", "https://"),
        ("[mailcow]\nurl = 'http://mail.example.com'", "[mailcow] url: ", "plain http"),
        (f"[mailcow]\nurl = 'https://u:{CANARY}@m'", "[mailcow] url: ", "password"),
        ("[mailcow]\napi_key_file = '~nobody-such/k'", "[mailcow] api_key_file: ", "no such user"),
        (f"{D}\ndkim.source = 'file:~nobody-such/k'", ".dkim] source: ", "no such user"),
    ],
)
def test_a_bad_value_says_what_is_wrong_with_it(
    tmp_path: Path, text: str, where: str, words: str
) -> None:
    (line,) = problems(text, tmp_path / "c.toml")
    assert where in line
    assert words in line
    assert CANARY not in line


def test_a_private_key_in_a_config_is_not_shown(tmp_path: Path) -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{CANARY}/+\n-----END PRIVATE KEY-----"
    text = f"{D}\ndkim.source = '''{key}'''\n[defaults]\ndkim.source = 'file:{CANARY}-----BEGIN'"
    for line in problems(text, tmp_path / "c.toml"):
        assert "source" in line
        assert CANARY not in line


def test_all_mistakes_are_told_at_once_and_none_twice(tmp_path: Path) -> None:
    """Also those of different sorts: the tables that may be `false`, the paths, the names."""
    text = f"""
        typo = 1
        [mailcow]
        url = "http://mail.example.com"
        key = "{CANARY}"
        [defaults]
        zone = "example.com"
        dmarc = {{ record = 3, polici = "none" }}
        [domains."example.com"]
        spf = true
        dkim = {{ source = "/k.pem", selector = "a b" }}
        dmarc = {{ record = "v=DMARC1" }}
        [domains.example.org]
        spf = 3
        [domains."Example.com"]
        spf = 0
        """
    found = problems(text, tmp_path / "c.toml")
    places = [line.partition(": ")[0] for line in found]
    assert sorted(places) == sorted(
        [
            "typo",
            "[mailcow] url",
            "[mailcow] key",
            "[defaults] zone",
            "[defaults.dmarc] record",
            "[defaults.dmarc] polici",
            '[domains."example.com"] spf',
            '[domains."example.com".dkim] source',
            '[domains."example.com".dkim] selector',
            '[domains."example.com".dmarc] record',
            "[domains] example",
            '[domains] "Example.com"',
            '[domains."Example.com"] spf',
        ]
    )
    assert CANARY not in "".join(found)


@pytest.mark.parametrize("key", ["literal[False]", "SpfPolicy", "DkimPolicy", "[key]"])
@pytest.mark.parametrize("table", ["", D, f"{D[:-1]}.dkim]", "[defaults.spf]", "[mailcow]"])
def test_a_key_that_looks_like_our_own_machinery_is_a_key(
    tmp_path: Path, table: str, key: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "c.toml", f"{table}\n'{key}' = 1"), {})
    (line,) = caught.value.problems
    assert ": unknown key" in line
    assert key in line


values = st.recursive(
    st.sampled_from(
        ["true", "false", "0", "1", "-1", "0.0", "1979-05-27", f'"{CANARY}"', '"false"']
    ),
    lambda inner: st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=3,
)


@given(
    st.sampled_from(["defaults", 'domains."example.com"', "mailcow", "other"]),
    st.sampled_from(["spf", "dkim", "dmarc", "zone", "url", "api_key_file", "password"]),
    values,
)
def test_one_bad_value_is_at_most_one_mistake(
    tmp_path_factory: pytest.TempPathFactory, table: str, key: str, value: str
) -> None:
    """Whatever is written where, it is never told twice, and never shown."""
    path = write(tmp_path_factory.getbasetemp() / "one.toml", f"[{table}]\n{key} = {value}")
    told: list[str] = []
    try:
        load(path, {})
    except ConfigError as error:
        told = error.problems
    assert len(told) <= 1
    may_be_shown = table != "mailcow" and key in ("zone", *KINDS)
    assert may_be_shown or CANARY.lower() not in "".join(told).lower()


def test_a_rule_about_the_whole_file_has_a_line_too() -> None:
    sort = PydanticCustomError("mailauth", "too much at once")
    error = ValidationError.from_exception_data("", [{"type": sort, "loc": (), "input": CANARY}])
    assert told(of_the_models(error), "") == ["the file: too much at once"]


# --- Where it is, and what is meant ---------------------------------------------------------------


def test_each_mistake_is_told_with_its_line_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """# a comment
[mailcow]
url = "http://mail.example.com"

[defaults.dmarc]
polici = "none"

[domains."example.com"]
server = [   # the one
    "a.example",
    3,
]
spf.record = '''
nonsense'''
dkim = "malicow"
[domain."example.org"]
"""
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "c.toml", text.replace("\n", "\r\n")), {})
    starts = [line.partition(": ")[0] for line in caught.value.problems]
    assert starts == [f"line {number}" for number in (3, 6, 9, 13, 15, 16)]


def test_the_lines_of_a_very_long_value_are_not_looked_for(tmp_path: Path) -> None:
    text = "only = [\n" + '"a",\n' * 5000 + "]\nx = 1\n"
    assert lines_of(text) == {}
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "c.toml", text), {})
    assert caught.value.problems == ["x: unknown key"]


@given(st.text(alphabet="ab.[]{}=\"',#\n \\13", max_size=60))
def test_every_table_and_key_of_whatever_is_toml_has_its_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except ValueError:
        return
    found = lines_of(text)
    assert {place[0] for place in found} >= set(data)
    assert all(1 <= number <= text.count("\n") + 1 for number in found.values())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('[domain."example.com"]', "is domains meant?"),
        ("[default]", "is defaults meant?"),
        ("[mailcov]", "is mailcow meant?"),
        ("[Mailcow]", "is mailcow meant?"),
        ("[mailcow]\nurI = 'x'", "is url meant?"),
        ("[rotation]\ngrase = '7d'", "is grace meant?"),
        (f"{D}\nspff = 'x'", "is spf meant?"),
        (f"{D}\nSPF = 'v=spf1 mx -all'", "is spf meant?"),
        (f"{D}\nservers = ['a.example']", "is server meant?"),
        (f"{D}\ndmarc.ruas = ['x']", "is rua meant?"),
        (f"{D}\ndmarc.polcy = 'none'", "is policy meant?"),
        (f"{D}\nspf.requires = ['mx']", "is require meant?"),
        (f"{D}\nrua = ['mailto:x@example.com']", "it belongs into dmarc"),
        (f"{D}\npolicy = 'none'", "it belongs into dmarc"),
        (f"{D}\nall = 'fail'", "it belongs into spf"),
        (f"{D}\nselector = 's1'", "it belongs into dkim"),
        (f"{D}\nrecord = 'v=spf1 -all'", "it belongs into spf or dmarc"),
        (f"{D}\nspf.policy = 'none'", "it belongs into dmarc"),
        (f"{D}\ndkim.record = 'v=DKIM1;p='", 'source = "record:..."'),
        (f"{D}\nurl = 'https://mail.example.com'", "it belongs into [mailcow]"),
        (f"[mailcow]\nMAILCOW_API_KEY = '{CANARY}'", "netcup-mailauth auth keeps them"),
        (f"[netcup]\npassword = '{CANARY}'", "netcup-mailauth auth keeps them"),
        (f"customer_number = '{CANARY}'", "netcup-mailauth auth keeps them"),
        ("url = 'https://mail.example.com'", "it belongs into [mailcow]"),
        ("spf = 'v=spf1 -all'", "it belongs into a domain's table"),
        ("['example.com']\nspf = false", 'begins with [domains."example.com"]'),
        ("[example.com]\nspf = false", 'begins with [domains."example.com"]'),
        ("[bücher.example]".replace("ü", "u"), 'begins with [domains."bucher.example"]'),
    ],
)
def test_an_unknown_key_is_told_with_what_is_meant(tmp_path: Path, text: str, meant: str) -> None:
    (line,) = problems(text, tmp_path / "c.toml")
    assert "unknown key; " in line
    assert meant in line
    assert CANARY not in line


@pytest.mark.parametrize(
    ("text", "at", "advice"),
    [
        ("\n\nspf = v=spf1", "line 3, column 7", "quotes"),
        ("[domains.bücher.example]", "line 1, column 11", "the name of a domain"),
        ("a = 1\na = 2", "line 2", "Make one of both"),
        ("[a]\n[a]", "line 2, column 3", "Make one of both"),
        (f"{D}\nspf = 'v=spf1 mx -all", "line 2", "quotes"),
        (f"{D}\nspf = {{\n all = 'fail' }}", "line 2", "one line"),
    ],
)
def test_what_is_no_toml_is_told_with_line_column_and_the_usual_slip(
    tmp_path: Path, text: str, at: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path / "c.toml", text), {})
    assert at in caught.value.what
    assert advice in caught.value.advice


def test_another_encoding_is_told_with_its_line_and_a_mark_of_order_is_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"# one\n# f\xfcr\n")
    with pytest.raises(ConfigError, match=r"is not UTF-8 text \(line 2\)"):
        load(path, {})
    path.write_bytes(b"\xef\xbb\xbf" + one("example.com").encode())
    assert list(load(path, {}).config.domains) == ["example.com"]


# --- Plain texts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [D, "[defaults]"])
@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ('spf = "v=spf1 mx a -all"', 'spf = { record = "v=spf1 mx a -all" }'),
        ('dkim = "mailcow"', 'dkim = { source = "mailcow" }'),
        ('dkim = "file:k.pem"', 'dkim = { source = "file:k.pem" }'),
        ('dkim = "v=DKIM1;p="', 'dkim = { source = "v=DKIM1;p=" }'),
        ('dkim = "record:v=DKIM1;p="', 'dkim = { source = "record:v=DKIM1;p=" }'),
        ('dkim = "-"', 'dkim = { source = "-" }'),
        ('dmarc = "v=DMARC1;p=none"', 'dmarc = { record = "v=DMARC1;p=none" }'),
    ],
)
def test_a_plain_text_is_the_whole_record_or_the_source(
    tmp_path: Path, table: str, short: str, whole: str
) -> None:
    path = tmp_path / "c.toml"
    loaded = [load(write(path, f"{table}\n{text}\n"), {}).config for text in (short, whole)]
    assert loaded[0] == loaded[1] != Config()


def test_a_plain_text_is_layered_as_what_it_stands_for(tmp_path: Path) -> None:
    text = f"""
        [defaults]
        spf.require = ["mx"]
        dkim.selector = "s1"
        {D}
        spf = "v=spf1 a -all"
        dkim = "mailcow"
        """
    config = load(write(tmp_path / "c.toml", text), {}).config
    policy = layered(config.defaults, config.domains["example.com"])
    assert policy.spf == SpfPolicy(record="v=spf1 a -all")
    assert policy.dkim == DkimPolicy(source="mailcow", selector="s1")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("spf = 'v=spf1 foo'", "spf", "foo"),
        ("spf = ''", "spf", "SPF"),
        ("dkim = 'malicow'", "dkim", "'malicow'"),
        ("dkim = '/etc/k.pem'", "dkim", "file:/etc/k.pem"),
        ("dmarc = 'v=DMARC1'", "dmarc", "policy"),
        ("dmarc = 'quarantine'", "dmarc", 'policy = "quarantine"'),
    ],
)
@pytest.mark.parametrize("table", [D, "[defaults]"])
def test_a_mistake_in_a_plain_text_is_at_the_key_that_was_written(
    tmp_path: Path, table: str, text: str, place: str, words: str
) -> None:
    (line,) = problems(f"{table}\n{text}", tmp_path / "c.toml")
    assert line.startswith(f"{table} {place}: ")
    assert words in line


def test_a_key_in_the_place_of_its_source_is_not_shown(tmp_path: Path) -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{CANARY}/+\n-----END PRIVATE KEY-----"
    (line,) = problems(f"{D}\ndkim = '''{key}'''", tmp_path / "c.toml")
    assert CANARY not in line


@pytest.mark.parametrize("written", ["file:../k.pem", "file:/etc/passwd"])
def test_a_found_config_may_not_name_a_file_elsewhere_in_a_plain_text_either(
    here: Path, written: str
) -> None:
    write(here / CONFIG_NAME, f"{D}\ndkim = '{written}'")
    with pytest.raises(ConfigError, match="outside this config's folder"):
        load(None, {})


# --- What is right --------------------------------------------------------------------------------


def test_a_whole_config(tmp_path: Path) -> None:
    text = f"""
        [mailcow]
        url = "https://mail.example.com"
        api_key_file = "mailcow.key"
        [defaults]
        dkim = {{ source = "mailcow" }}
        dmarc = {{ record = "v=DMARC1;p=none" }}
        [domains."example.com"]
        {SPF}
        dmarc = false
        [domains."Bücher.Example"]
        zone = "bücher.example"
        spf = {{}}
        [domains.'a.b.example']
        """
    config = load(write(tmp_path / "c.toml", text), {}).config
    assert list(config.domains) == ["example.com", "xn--bcher-kva.example", "a.b.example"]
    example, buecher, _ = config.domains.values()
    assert example.spf == SpfPolicy(record="v=spf1 mx -all")
    assert example.dmarc is False
    assert buecher.zone == "xn--bcher-kva.example"
    assert config.mailcow.api_key_file == str(tmp_path / "mailcow.key")


@pytest.mark.parametrize("kind", KINDS)
def test_false_means_not_managed(tmp_path: Path, kind: str) -> None:
    loaded = load(write(tmp_path / "c.toml", f"{D}\n{kind} = false"), {})
    assert getattr(loaded.config.domains["example.com"], kind) is False


# --- Paths in it ----------------------------------------------------------------------------------


def dkim(source: str) -> str:
    return f"{D}\ndkim.source = '{source}'"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("file:k.pem", "file:{folder}/k.pem"),
        ("file:sub/k.pem", "file:{folder}/sub/k.pem"),
        ("file:/etc/k.pem", "file:/etc/k.pem"),
        ("file:~/k.pem", "file:{home}/k.pem"),
        ("mailcow", "mailcow"),
        ("-", "-"),
        ("record:v=DKIM1;p=", "record:v=DKIM1;p="),
        ("v=DKIM1;p=", "v=DKIM1;p="),
    ],
)
@pytest.mark.parametrize("named", ["relative", "absolute"])
def test_a_path_starts_at_the_configs_folder(
    here: Path, written: str, expected: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where the command happens to run: a timer and a shell must read the same key."""
    folder = here / "conf"
    path = write(folder / "c.toml", dkim(written))
    loaded = load(path.relative_to(here) if named == "relative" else path, {})
    monkeypatch.chdir("/")
    assert of(loaded).source == expected.format(folder=folder, home=Path.home())


def test_the_defaults_have_paths_too(here: Path) -> None:
    path = write(here / "c.toml", "[defaults]\ndkim.source = 'file:k'")
    defaults = load(path, {}).config.defaults.dkim
    assert isinstance(defaults, DkimPolicy)
    assert defaults.source == f"file:{here}/k"


@pytest.mark.parametrize("written", ["file:k.pem", "file:./sub/../k.pem", "file:sub/k.pem"])
def test_a_found_config_may_name_a_file_beside_it(here: Path, written: str) -> None:
    (here / "sub").mkdir()
    write(here / CONFIG_NAME, dkim(written))
    loaded = load(None, {})
    assert not loaded.trusted
    assert of(loaded).source == f"file:{(here / written.removeprefix('file:')).resolve()}"


def link_to_a_file(here: Path) -> str:
    (here / "innocent.pem").symlink_to("/etc/passwd")
    return "file:innocent.pem"


def link_to_a_folder(here: Path) -> str:
    (here / "keys").symlink_to("/etc")
    return "file:keys/passwd"


def links_in_a_circle(here: Path) -> str:
    (here / "a").symlink_to(here / "b")
    (here / "b").symlink_to(here / "a")
    return "file:a/../../x"


@pytest.mark.parametrize(
    "source",
    [
        "file:/etc/dkim/example.com.private",
        "file:../x.pem",
        "file:sub/../../x.pem",
        "file:~/x.pem",
        "file:../here-too/x.pem",
        link_to_a_file,
        link_to_a_folder,
        links_in_a_circle,
    ],
)
@pytest.mark.parametrize("table", [D, "[defaults]"])
def test_a_found_config_may_not_name_a_file_elsewhere(
    here: Path, source: str | Callable[[Path], str], table: str
) -> None:
    """It may come from anybody, as in a merge request; what it names would be read and shown."""
    written = source if isinstance(source, str) else source(here)
    path = write(here / CONFIG_NAME, f"{table}\ndkim.source = '{written}'")
    with pytest.raises(ConfigError) as caught:
        load(None, {})
    (line,) = caught.value.problems
    assert line.startswith(f"line 2: {table[:-1]}.dkim] source: ")
    assert "outside this config's folder" in line
    assert "-c" in line
    assert load(path, {}).trusted, "named with -c it is fine"


def test_a_found_config_in_a_linked_folder_is_in_its_folder(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(here)
    write(here / CONFIG_NAME, dkim("file:k.pem"))
    monkeypatch.chdir(tmp_path / "link")
    assert of(load(None, {})).source == f"file:{here.resolve()}/k.pem"
