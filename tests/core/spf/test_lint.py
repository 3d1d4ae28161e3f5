from __future__ import annotations

import pytest

from netcup_mailauth.spf import lint, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v=spf1 mx -all", []),
        ("v=spf1 mx ~all exp=w.example.com", []),
        ("v=spf1 redirect=b.example", []),
        ("v=spf1 mx", [("spf-no-all", "")]),
        ("v=spf1 include:example.com-all", [("spf-no-all", "include:example.com-all")]),
        ("v=spf1 mx ?all", [("spf-neutral-all", "?all")]),
        ("v=spf1 mx ALL", [("spf-pass-all", "ALL")]),
        ("v=spf1 ip4:203.0.113.7/0 -all", [("spf-pass-all", "ip4:203.0.113.7/0")]),
        ("v=spf1 ip6:::/0 -all", [("spf-pass-all", "ip6:::/0")]),
        (
            "v=spf1 a/0 mx/24//0 +all",
            [("spf-pass-all", "+all"), ("spf-pass-all", "a/0"), ("spf-pass-all", "mx/24//0")],
        ),
        ("v=spf1 -ip4:0.0.0.0/0 ?ip6:::/0 ip4:0.0.0.0/1 a/24//64 ~all", []),
        ("v=spf1 -all a/0", [("spf-after-all", "a/0")]),
        ("v=spf1 mx -all MX a", [("spf-after-all", "MX a")]),
        ("v=spf1 -all ~all", [("spf-after-all", "~all")]),
        ("v=spf1 redirect=b.example -all", [("spf-after-all", "redirect=b.example")]),
        ("v=spf1 ptr -all ptr", [("spf-after-all", "ptr"), ("spf-ptr", "ptr")]),
        ("v=spf1 -exists:%{P}.b.example -all", [("spf-ptr", "-exists:%{P}.b.example")]),
        ("v=spf1 -all exp=%{p}.b.example", [("spf-ptr", "exp=%{p}.b.example")]),
        ("v=spf1 redirect=%{p}.b.example", [("spf-ptr", "redirect=%{p}.b.example")]),
    ],
)
def test_what_is_questionable_has_the_guards_code(text: str, found: list[tuple[str, str]]) -> None:
    problems = lint(parse(text))
    assert [(p.code, " ".join(t.text for t in p.terms)) for p in problems] == found
    assert all(problem.message for problem in problems)
