"""What the README and the guide say is what the program does: each page, command, key and link."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from netcup_mailauth.cli.commands import COMMANDS
from netcup_mailauth.errors import ExitCode
from netcup_mailauth.findings import MEANINGS
from netcup_mailauth.policy import (
    Config,
    DkimPolicy,
    DmarcPolicy,
    DomainPolicy,
    MailcowSettings,
    RotationSettings,
    SpfPolicy,
)
from netcup_mailauth.records import Kind
from netcup_mailauth.render.guide import plain
from netcup_mailauth.render.metrics import PREFIX
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.settings import credentials
from tests.guide import BESIDE, CONFIG, GUIDE, PAGES, blocks, inline
from tests.story.golden.picture import PLACE, picture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.guide import Block
    from tests.story.inprocess import Cli, PointedAt

EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name + page.stem)
A_CONFIG = next(b.text for b in blocks(GUIDE / "config.md") if b.text.startswith(CONFIG))


@EACH_PAGE
def test_its_commands_do_on_a_sandbox_what_they_say(page: Path, pointed_at: PointedAt) -> None:
    with Sandbox(["example.com", "example.org"], clouddns=["example.org"]) as netcup:
        cli = pointed_at(netcup)
        for block in blocks(page):
            if block.text.startswith(CONFIG) or block.remark == "with the config":
                text = block.text if block.text.startswith(CONFIG) else A_CONFIG
                (cli.folder / "netcup-mailauth.toml").write_text(text)
            if block.language == "sh" and block.is_run:
                _run(cli, block)


def _run(cli: Cli, block: Block) -> None:
    for words in block.commands():
        asked = ["--yes"] if words[0] in ("apply", "undo") else []
        into = words.index(">") if ">" in words else len(words)
        ended = cli(*words[:into], *asked)
        assert ended.code == block.code, f"{words}: {ended.stdout}{ended.stderr}"
        if words[into:]:
            (cli.folder / words[-1]).write_text(ended.stdout)


@EACH_PAGE
def test_what_is_not_run_can_be_typed_all_the_same(page: Path) -> None:
    for block in blocks(page):
        if block.language == "sh":
            alone = [line for line in block.lines() if not line.startswith("netcup-mailauth ")]
            assert [line for line in alone if not line.startswith(BESIDE)] == []
        else:
            assert "\nnetcup-mailauth " not in f"\n{block.text}" or page.stem == "completion"
    typed = [
        words for block in blocks(page) if block.language == "sh" for words in block.commands()
    ]
    typed += [code.split()[1:] for code in inline(page) if code.startswith("netcup-mailauth ")]
    for words in typed:
        name = next((word for word in words if word in COMMANDS), "")
        assert name, words
        at = words.index(name)
        rest = [*words[:at], *(word for word in words[at + 1 :] if word != ">")]
        COMMANDS[name].made(name).make_context(name, rest, resilient_parsing=True)


@EACH_PAGE
def test_each_option_it_names_there_is(page: Path) -> None:
    made = [known.made(name) for name, known in COMMANDS.items()]
    options = {name for command in made for option in command.params for name in option.opts}
    options |= {"--help", "--version", "-h", "-V"}
    named = [w for code in inline(page) for w in code.split() if re.match(r"--?[a-z]", w)]
    # A term of an SPF record begins with a sign as well, and the shell's read has an option.
    named = [w.rstrip(",;") for w in named if not re.match(r"-(all|ip[46]:|rs$)", w)]
    assert [w for w in named if w.partition("=")[0] not in options] == []


@EACH_PAGE
def test_each_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for address in re.findall(r"\]\(([^)]+)\)", text):
        if address.startswith("https://"):
            continue
        file, _, anchor = address.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), address
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {_anchor(heading) for heading in headings}, address


def _anchor(heading: str) -> str:
    """As forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@EACH_PAGE
def test_each_config_it_shows_is_one(page: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            Config.model_validate(tomllib.loads(block.text))


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_is_short_and_fits_a_terminal(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    shown = plain("\n".join(lines)).splitlines()
    assert [line for line in (*lines, *shown) if len(line) > 80] == []
    assert [line for line in lines if line.count("`") % 2 and "```" not in line] == []
    assert len(lines) <= 120 or page.stem == "findings"


def test_the_readme_is_short() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 170
    assert len(text.split()) <= 1300


def test_the_index_lists_each_page_once() -> None:
    listed = re.findall(r"\]\(([a-z-]+)\.md\)", (GUIDE / "README.md").read_text(encoding="utf-8"))
    assert sorted([*listed, "README"]) == sorted(page.stem for page in GUIDE.glob("*.md"))


def test_each_exit_code_has_its_place_and_no_other() -> None:
    text = (GUIDE / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^## (\d+) ", text, re.MULTILINE)] == [*map(int, ExitCode)]


def test_each_key_of_the_config_has_its_place() -> None:
    told = inline(GUIDE / "config.md")
    words = {word for code in told for word in re.findall(r"[a-z_]+", code)}
    tables = (SpfPolicy, DkimPolicy, DmarcPolicy, DomainPolicy, MailcowSettings, RotationSettings)
    keys = {key for table in (Config, *tables) for key in table.model_fields}
    assert keys - {"domains"} - words == set()


def test_each_field_of_a_document_has_its_place(cli: Cli) -> None:
    wish = ("example.com", "--spf", "v=spf1 mx -all", "--dkim", "mailcow", "--format", "json")
    told = {word for code in inline(GUIDE / "json.md") for word in code.split()}
    for words in (
        ("records", "example.com", "--format", "json"),
        ("plan", *wish),
        ("apply", *wish, "--yes"),
        ("check", "example.com", "--format", "json"),
        ("plan", "foreign.example", *wish[1:]),
        ("check", "foreign.example", "--format", "json"),
        ("rotate", "--status", "--format", "json"),
    ):
        assert _fields(cli(*words).json) - told == set(), words


def _fields(document: Any) -> set[str]:
    """The names of all fields, but for those of a consent, whose form the schema has."""
    if isinstance(document, list):
        return {name for item in document for name in _fields(item)}
    if not isinstance(document, dict):
        return set()
    inner = {k: v for k, v in document.items() if k not in ("consent", "held")}
    return {*document, *(name for value in inner.values() for name in _fields(value))}


def test_each_secret_and_each_metric_has_its_place() -> None:
    said = (value for value in vars(credentials).values() if isinstance(value, str))
    variables = {value for value in said if re.fullmatch(r"(NETCUP|MAILCOW)_[A-Z_]+", value)}
    assert len(variables) >= 5
    assert variables <= set(inline(GUIDE / "credentials.md"))
    source = (GUIDE.parent / "render" / "metrics.py").read_text(encoding="utf-8")
    made = set(re.findall(r'^\s+(?:yield )?"([a-z_]+)",', source, re.MULTILINE))
    assert made <= {code.removeprefix(PREFIX) for code in inline(GUIDE / "watching.md")}


@EACH_PAGE
def test_each_variable_it_names_is_read(page: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in GUIDE.parent.rglob("*.py"))
    named = re.findall(r"\b(?:NETCUP|MAILCOW)_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8"))
    assert [name for name in named if name.removesuffix("_FILE") not in source] == []


def test_the_readme_shows_a_plan_as_it_is() -> None:
    """``python -m tests.story.golden.picture --write`` writes it anew."""
    shown = PLACE.search(PAGES[0].read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[0] == picture()


def test_the_readme_holds_the_line_that_runs_the_tests() -> None:
    """It is the one that CI runs."""
    found = re.findall(r"\.venv/bin/python -m pytest.*$", PAGES[0].read_text(), re.MULTILINE)
    assert found == [".venv/bin/python -m pytest"]


@EACH_PAGE
def test_each_finding_it_names_there_is(page: Path) -> None:
    begins = tuple(
        {f"{code.partition('-')[0]}-" for code in MEANINGS} - {"netcup-", "not-", "near-"}
    )
    named = [code for code in inline(page) if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)]
    others = {*(path.stem for path in PAGES), *Kind}
    assert [c for c in named if c.startswith(begins) and c not in {*MEANINGS, *others}] == []
