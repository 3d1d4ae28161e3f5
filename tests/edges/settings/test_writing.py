"""A config is only ever added to: what stands in it stays, and what is added says what is meant."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from netcup_mailauth.errors import ConfigError, UsageError
from netcup_mailauth.policy import DkimPolicy, DmarcPolicy, DomainPolicy, SpfPolicy
from netcup_mailauth.records import Kind
from netcup_mailauth.settings import writing

if TYPE_CHECKING:
    from pathlib import Path

POLICY = DomainPolicy(
    zone="example.com",
    server=["mail.example.com"],
    spf=SpfPolicy(require=["mx", "a"], drop=["include:_spf.webhosting.systems"], all="softfail"),
    dkim=DkimPolicy(source='v=DKIM1;n="x";p=', selector="s1"),
)
REASONS = {Kind.DMARC: 'two "records"\nare [live]'}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "netcup-mailauth.toml"


def test_a_table_says_what_is_wanted_and_why_a_kind_is_left_out() -> None:
    table = writing.domain_table("lists.example.com", POLICY, REASONS)
    assert tomllib.loads(table)["domains"] == {
        "lists.example.com": POLICY.model_dump(exclude_none=True)
    }
    assert table.count("\n") == 6


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"# a remark",
        b"[defaults]\nallow = []\n",
        b'[domains."example.net"]\r\nspf = "v=spf1 -all"\r\n# \xc3\xa4',
        b'[domains]\n"example.net" = { dkim = { source = "mailcow" } }\n',
    ],
)
def test_what_stands_in_a_config_stays_byte_by_byte(path: Path, before: bytes) -> None:
    path.write_bytes(before)
    path.chmod(0o600)
    link = path.with_name("link.toml")
    link.symlink_to(path)
    writing.add(link, writing.domain_table("example.com", POLICY, {}))
    after = path.read_bytes()
    assert after.startswith(before)
    assert (path.stat().st_mode & 0o777, link.is_symlink()) == (0o600, True)
    assert b"\r\n" not in before or b"\n" not in after.replace(b"\r\n", b"")
    said = tomllib.loads(after.decode().replace("\r\n", "\n"))["domains"]["example.com"]
    assert said == POLICY.model_dump(exclude_none=True)


def test_a_table_that_is_there_gets_the_kinds_it_lacks(path: Path) -> None:
    path.write_text(writing.domain_table("example.com", POLICY, {}) + "[defaults]\n")
    more = DomainPolicy(dmarc=DmarcPolicy(policy="none", rua=["mailto:a@example.com"]))
    writing.add(path, writing.kind_tables("example.com", more))
    said = tomllib.loads(path.read_text())["domains"]["example.com"]
    assert said == {**POLICY.model_dump(exclude_none=True), **more.model_dump(exclude_none=True)}


@pytest.mark.parametrize(
    "before",
    ['domains = { "example.net" = { spf = "v=spf1 -all" } }\n', '[domains."example.com"]\n'],
)
def test_a_config_that_can_take_no_table_stays_and_the_table_is_shown(
    path: Path, before: str
) -> None:
    path.write_text(before)
    table = writing.domain_table("example.com", POLICY, {})
    with pytest.raises(ConfigError) as caught:
        writing.add(path, table)
    assert table in caught.value.advice
    assert path.read_text() == before


def test_a_config_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        writing.add(tmp_path / "none.toml", "[defaults]\n")
    with pytest.raises(UsageError, match="cannot be written"):
        writing.write_new(tmp_path / "no" / "folder.toml", "")
