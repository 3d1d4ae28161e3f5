"""The usual mistakes are named for what they are, with something to do about them."""

from __future__ import annotations

import pytest

from netcup_mailauth.errors import ExitCode, RecordError
from netcup_mailauth.spf import SpfSyntaxError, parse


@pytest.mark.parametrize(
    ("text", "term", "complaint", "advice"),
    [
        ("v=spf1 ip4:203.0.113.0/33", "ip4:203.0.113.0/33", "longer than 32", "/32 or less"),
        ("v=spf1 ip6:2001:db8::/129", "ip6:2001:db8::/129", "longer than 128", "/128"),
        ("v=spf1 a/33", "a/33", "longer than 32", ""),
        ("v=spf1 a//129", "a//129", "longer than 128", ""),
        ("v=spf1 a/99999999999", "a/99999999999", "longer than 32", ""),
        ("v=spf1 ip4:mail.example.com", "ip4:mail.example.com", "host name", "a:mail.example.com"),
        ("v=spf1 ip4:2001:db8::1/64", "ip4:2001:db8::1/64", "IPv6", '"ip6:2001:db8::1/64"'),
        ("v=spf1 ip6:203.0.113.7", "ip6:203.0.113.7", "IPv4", '"ip4:203.0.113.7"'),
        ("v=spf1 ip6:fe80::1%eth0", "ip6:fe80::1%eth0", "no IPv6 address", ""),
        ("v=spf1 ip6:host", "ip6:host", "no IPv6 address", ""),
        ("v=spf1 ip4:203.0.113", "ip4:203.0.113", "no IPv4 address", "in full"),
        ("v=spf1 ip4:203.0.113.7:25", "ip4:203.0.113.7:25", "no IPv4 address", "no port"),
        ("v=spf1 ip4:203.0.113.07", "ip4:203.0.113.07", "leading zero", "without the zero"),
        ("v=spf1 ip4:203.0.113.256", "ip4:203.0.113.256", "above 255", ""),
        ("v=spf1 ip4", "ip4", "no address", '"ip4:203.0.113.7"'),
        ("v=spf1 ip6:", "ip6:", "no address", '"ip6:2001:db8::7"'),
        ("v=spf1 ip4:203.0.113.0/", "ip4:203.0.113.0/", "no number", ""),
        ("v=spf1 ip4:203.0.113.0/024", "ip4:203.0.113.0/024", "leading zero", "/24"),
        ("v=spf1 a/00", "a/00", "leading zero", "/0"),
        ("v=spf1 ip4:1.2.3.0/255.255.255.0", "ip4:1.2.3.0/255.255.255.0", "no number", "netmask"),
        ("v=spf1 ip4:1.2.3.0/24-all", "ip4:1.2.3.0/24-all", 'before its "all"', "blank"),
        ("v=spf1 ip4:8.8.8.8~all", "ip4:8.8.8.8~all", 'before its "all"', "blank"),
        ("v=spf1 mx-all", "mx-all", 'before its "all"', "blank"),
        ("v=spf1 include:example.com~all", "include:example.com~all", 'before its "all"', ""),
        ("v=spf1 mx\ta -all", "mx\ta", "tab", "blanks"),
        ("v=spf1 mx,a -all", "mx,a", "comma", "one blank"),
        ("v=spf1 ip4:1.2.3.4,5.6.7.8", "ip4:1.2.3.4,5.6.7.8", "comma", ""),
        ("v=spf1 mx -all;", "-all;", "semicolon", ""),
        ("v=spf1 include: example.com", "include: example.com", "blank in the middle", "Take out"),
        ("v=spf1 redirect= example.com", "redirect= example.com", "blank in the middle", ""),
        ("v=spf1 include:", "include:", "names no domain", ""),
        ("v=spf1 include", "include", "names no domain", ""),
        ("v=spf1 exp=", "exp=", "names no domain", ""),
        ("v=spf1 ip:203.0.113.7", "ip:203.0.113.7", '"ip"', '"ip4:203.0.113.7"'),
        ("v=spf1 ipv6:2001:db8::/32", "ipv6:2001:db8::/32", '"ipv6"', '"ip6:2001:db8::/32"'),
        ("v=spf1 ipv4:host.example", "ipv4:host.example", '"ipv4"', ""),
        ("v=spf1 203.0.113.7/24", "203.0.113.7/24", "bare address", '"ip4:203.0.113.7/24"'),
        ("v=spf1 -2001:db8::1", "-2001:db8::1", "bare address", '"ip6:2001:db8::1"'),
        ("v=spf1 foo:bar", "foo:bar", "no mechanism", 'There are "all", "include"'),
        ("v=spf1 moo", "moo", "no mechanism", ""),
        ("v=spf1 =all", "=all", "no mechanism", ""),
        ("v=spf1 redirect:example.com", "redirect:example.com", "modifier", "redirect="),
        ("v=spf1 -exp=example.com", "-exp=example.com", "modifier", "without a sign"),
        ("v=spf1 -all.", "-all.", 'behind its "all"', ""),
        ("v=spf1 all:example.com", "all:example.com", 'behind its "all"', ""),
        ("v=spf1 ip4:<YOUR-IP4-ADDRESS>", "ip4:<YOUR-IP4-ADDRESS>", "placeholder", "own value"),
        ("v=spf1 ip4:YOUR_IP", "ip4:YOUR_IP", "placeholder", ""),
        ("v=spf1 ip4:x.x.x.x", "ip4:x.x.x.x", "placeholder", ""),
        ("v=spf1 mx ... -all", "...", "placeholder", ""),
        ("v=spf1 mx … -all", "…", "placeholder", ""),
        ("v=spf1 include:%{x}.example.com", "include:%{x}.example.com", "does not exist", "%{i}"),
        ("v=spf1 exists:%(ir).example.com", "exists:%(ir).example.com", "does not exist", ""),
        ("v=spf1 a:100%.example.com", "a:100%.example.com", "does not exist", "%%"),
        ("v=spf1 moo=%abc", "moo=%abc", "does not exist", ""),
        ("v=spf1 a:%{d0}.example.com", "a:%{d0}.example.com", "keeps no parts", ""),
        ("v=spf1 a:%{c}.example.com", "a:%{c}.example.com", "explanation texts only", ""),
        ("v=spf1 a:exämple.com", "a:exämple.com", "U+00E4", "xn--"),
        ("v=spf1 mx\u00a0-all", "mx\u00a0-all", "U+00A0", "anew"),
        ("v=spf1 \u2013all", "\u2013all", "U+2013", ""),
        ("v=spf1 mx\r\n -all", "mx\r\n", "U+000D", ""),
        ("v=spf1 a:203.0.113.7", "a:203.0.113.7", "where a host name belongs", "ip4:203.0.113.7"),
        ("v=spf1 mx:museum", "mx:museum", "without a dot", "full name"),
        ("v=spf1 mx:museum.", "mx:museum.", "without a dot", ""),
        ("v=spf1 a:example.com:8080", "a:example.com:8080", "does not end like", "no port"),
        ("v=spf1 a:%%{d}", "a:%%{d}", "does not end like", ""),
        ("v=spf1 include:example.com/24", "include:example.com/24", "does not end like", "prefix"),
        ("v=spf1 a/24/64", "a/24/64", "does not belong", '"a/24//64"'),
        ("v=spf1 ptr/24", "ptr/24", "does not belong", "no prefix"),
        ('v=spf1 "mx', '"mx', "quotation mark", "without quotes"),
        ("v=spf10 mx", "v=spf10", "not version 1", "Begin it"),
        ("spf2.0/pra mx", "spf2.0/pra", "not version 1", ""),
        ("v=spf1; mx", "v=spf1; mx", "no blank right behind", ""),
        ("v=spf1\tmx", "v=spf1\tmx", "tab or line break", ""),
        ("  v=spf1 mx", "  v=spf1 mx", "in front of v=spf1", ""),
        ('"v=spf1 mx"', '"v=spf1', "quotation mark", ""),
        ("spf1 mx", "spf1", "not how an SPF record begins", ""),
        ("", "", "not how an SPF record begins", ""),
    ],
)
def test_a_mistake_is_named(text: str, term: str, complaint: str, advice: str) -> None:
    with pytest.raises(SpfSyntaxError) as caught:
        parse(text)
    assert caught.value.term == term
    assert caught.value.what.startswith('SPF: "')
    assert complaint in caught.value.what
    assert caught.value.advice
    assert advice in caught.value.advice


def test_the_message_names_term_mistake_and_section() -> None:
    with pytest.raises(SpfSyntaxError) as caught:
        parse("v=spf1 ip4:203.0.113.0/33 -all")
    assert str(caught.value) == (
        'SPF: "ip4:203.0.113.0/33" has a prefix longer than 32 (RFC 7208 5.6)'
    )


def test_it_is_a_record_error_with_the_exit_code_of_usage() -> None:
    assert issubclass(SpfSyntaxError, RecordError)
    assert SpfSyntaxError.exit_code is ExitCode.USAGE


def test_a_message_cannot_drive_the_terminal_nor_fill_it() -> None:
    with pytest.raises(SpfSyntaxError) as caught:
        parse("v=spf1 \x1b[31m" + "x" * 5000)
    assert "\x1b" not in caught.value.what
    assert len(caught.value.what) < 300
