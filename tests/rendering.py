"""What forges make of a Markdown text: rendered by two libraries, and what stands outside code.

cmark-gfm is what GitHub renders with. markdown-it with fuzzy links, footnotes, math and task lists
is stricter than any forge: it makes a link of a bare ``example.com``, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

OURS = {"h2", "h3", "p", "strong", "code", "pre", "blockquote", "details", "summary", "ul", "li"}
OURS |= {"table", "thead", "tbody", "tr", "th", "td"}
"""The elements that our Markdown consists of."""

TAKEN_UP = re.compile(
    r"[@#!$~%&^*]\w|:\w+:|\w+://|www\.|GH-\d|\w\.\w|\b[0-9a-f]{7,40}\b|\[\[|\b[A-Z]+-\d",
    re.IGNORECASE,
)
"""What some forge takes for a mention, a reference, an emoji, a commit or a link in plain words."""

_TAKEN_UP_IN_FRONT = re.compile(r"\s*(?:/|::|@\w|##\[)")
"""What a line may not begin with: GitLab's commands, and those of GitHub's logs."""

_STRICT = (
    MarkdownIt("gfm-like", {"html": True, "linkify": True})
    .use(footnote_plugin)
    .use(dollarmath_plugin)
    .use(tasklists_plugin)
    .use(front_matter_plugin)
)


def as_github(markdown: str) -> str:
    """As HTML, with every extension, and raw HTML let through."""
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
    extensions = ["table", "autolink", "strikethrough", "tasklist"]
    rendered = cmarkgfm.markdown_to_html_with_extensions(markdown, options, extensions)
    assert isinstance(rendered, str)
    return rendered


def as_strictest(markdown: str) -> str:
    """As HTML, by all that Markdown was ever extended with."""
    rendered = _STRICT.render(markdown)
    assert isinstance(rendered, str)
    return rendered


@dataclass
class Page(HTMLParser):
    """A rendered page.

    ``outline`` is its elements in order; ``words`` the texts outside code; ``codes`` the contents
    of code spans and code blocks; ``open`` what was not closed.
    """

    outline: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS, (tag, attrs)
        # The only attribute that a word of ours makes is the language of a code block.
        assert {name for name, _ in attrs} <= ({"class"} if tag == "code" else set()), attrs
        if tag == "code":
            self.codes.append("")
        self.outline.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag
        self.outline.append(f"/{tag}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError((tag, attrs))

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.codes[-1] += data
        elif data.strip():
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def page(html: str) -> Page:
    """A page of which every element is of ours, and closed in order."""
    found = Page()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


def is_harmless(markdown: str) -> Page:
    """Assert that no forge finds a link, a mention or a command in it; as GitHub shows it."""
    for rendered in (as_strictest(markdown), as_github(markdown)):
        shown = page(rendered)
        for text in shown.words:
            assert not TAKEN_UP.search(text.replace("[!", "[")), text
    for line in markdown.split("\n"):
        # What reads a comment or a log line by line knows no fences.
        assert not _TAKEN_UP_IN_FRONT.match(line), line
    _fences_close(markdown)
    return shown


def _fences_close(markdown: str) -> None:
    """By the rule alone: every fence has its end before its quote has."""
    fence, depth = "", ""
    for line in markdown.split("\n"):
        quote = "> " if line.startswith(">") else ""
        inner = line.removeprefix(">").removeprefix(" ") if quote else line
        if not fence:
            opened = re.match("`{3,}(?=[a-z]+$)", inner)
            fence, depth = (opened[0], quote) if opened else ("", "")
        elif quote != depth:
            raise AssertionError(line)
        elif inner == fence:
            fence = ""
    assert not fence
