"""SPF records as real domains publish them, and as real people get them wrong."""

from __future__ import annotations

from typing import Final

from tests.world.judges.records import Spf

_MXES: Final = "\n".join(f"@ MX {n} mx{n}\nmx{n} A 203.0.113.{n}" for n in range(1, 11))

GOOD: Final = (
    Spf("mailcow-docs", "v=spf1 mx a -all", "mail=pass web=pass mail6=pass other=fail other6=fail"),
    Spf(
        "netcup-default",
        "v=spf1 mx a include:_spf.webhosting.systems ~all",
        "mail=pass web=pass 46.38.249.9=pass 2a03:4000:1::9=pass other=softfail",
    ),
    Spf(
        "netcup-and-brevo",
        "v=spf1 mx include:_spf.webhosting.systems include:spf.brevo.com ~all",
        "mail=pass web=softfail 77.32.150.3=pass other=softfail",
    ),
    Spf(
        "netcup-and-mailchimp",
        "v=spf1 mx a include:_spf.webhosting.systems include:servers.mcsv.net ~all",
        "198.2.130.1=pass other=softfail",
    ),
    Spf(
        "google-workspace",
        "v=spf1 include:_spf.google.com ~all",
        "74.125.1.1=pass 108.177.97.1=pass 2a00:1450:4000::1=pass mail=softfail other6=softfail",
    ),
    Spf(
        "microsoft-365",
        "v=spf1 include:spf.protection.outlook.com -all",
        "40.92.1.1=pass 2a01:111:f400::1=pass other=fail",
    ),
    Spf(
        "microsoft-and-sendgrid",
        "v=spf1 include:spf.protection.outlook.com include:sendgrid.net mx ~all",
        "223.165.113.5=pass 167.89.1.1=pass mail=pass other=softfail",
    ),
    Spf(
        "mail-host",
        "v=spf1 ip4:192.0.2.25/32 ip6:2001:db8::25/128 -all",
        "mail=pass mail6=pass web=fail other6=fail",
    ),
    Spf("host-a", "v=spf1 a -all", "web=pass mail=fail"),
    Spf("parked", "v=spf1 -all", "mail=fail other6=fail", zone=""),
    Spf("mailu", "v=spf1 mx a:mail.mailu.example ~all", "mail=pass web=softfail"),
    Spf("gmail-redirect", "v=spf1 redirect=_spf.google.com", "74.125.1.1=pass other=softfail"),
    Spf("strato", "v=spf1 redirect=smtp.rzone.de", "81.169.146.150=pass other=softfail"),
    Spf("ionos", "v=spf1 include:_spf.kundenserver.de ~all", "212.227.126.187=pass other=softfail"),
    Spf("ovh", "v=spf1 include:mx.ovh.com ~all", "188.33.45.9=pass 8.33.137.105=pass"),
    Spf("mailjet", "v=spf1 include:spf.mailjet.com ?all", "185.189.236.9=pass other=neutral"),
    Spf("mandrill", "v=spf1 include:spf.mandrillapp.com mx ~all", "198.2.132.9=pass mail=pass"),
    Spf("mailgun", "v=spf1 include:mailgun.org ~all", "141.193.32.5=pass other=softfail"),
    Spf("amazon-ses", "v=spf1 include:amazonses.com ~all", "54.240.1.1=pass other=softfail"),
    Spf(
        "cloudflare-routing",
        "v=spf1 include:_spf.mx.cloudflare.net ~all",
        "104.30.1.1=pass 2405:8100:c000::1=pass",
    ),
    Spf(
        "salesforce",
        "v=spf1 mx include:_spf.salesforce.com ~all",
        "13.108.238.141=pass mail=pass other=softfail",
    ),
    Spf(
        "proofpoint",
        "v=spf1 include:spf-00123456.pphosted.com -all",
        "148.154.17.9=pass other=fail mail=permerror",
    ),
    Spf(
        "valimail",
        "v=spf1 include:%{i}._ip.%{h}._ehlo.%{d}._spf.vali.example ~all",
        "mail=pass other=permerror",
    ),
    Spf("capitals", "V=SPF1 MX Ip4:198.51.100.7 -ALL", "mail=pass other=pass web=fail"),
    Spf("blanks-at-the-end", "v=spf1 mx -all  ", "mail=pass other=fail"),
    Spf("two-blanks", "v=spf1  mx   -all", "mail=pass other=fail"),
    Spf("version-alone", "v=spf1", "mail=neutral"),
    Spf("version-and-blank", "v=spf1 ", "mail=neutral"),
    Spf("no-all", "v=spf1 mx", "mail=pass other=neutral"),
    Spf("neutral-all", "v=spf1 mx ?all", "mail=pass other=neutral"),
    Spf("pass-all", "v=spf1 +all", "other=pass other6=pass"),
    Spf("bare-all", "v=spf1 mx all", "other=pass"),
    Spf("all-first", "v=spf1 -all mx", "mail=fail other=fail"),
    Spf("two-alls", "v=spf1 mx ~all -all", "mail=pass other=softfail"),
    Spf("redirect-and-all", "v=spf1 mx redirect=_spf.google.com -all", "74.125.1.1=fail mail=pass"),
    Spf("redirect-first", "v=spf1 redirect=_spf.google.com mx", "74.125.1.1=pass mail=pass"),
    Spf("microsoft-proof-behind", "v=spf1 mx -all MS=ms12345678", "mail=pass other=fail"),
    Spf(
        "reporting-modifiers", "v=spf1 mx ra=postmaster rp=100 rr=e:f -all", "mail=pass other=fail"
    ),
    Spf("unknown-modifier", "v=spf1 mx op=auth,trusted x-note=%{d}.y -all", "mail=pass other=fail"),
    Spf("exp", "v=spf1 mx exp=explain.gone.example -all", "mail=pass other=fail"),
    Spf("exp-without-text", "v=spf1 mx exp=nowhere.gone.example -all", "mail=pass other=fail"),
    Spf("exp-first", "v=spf1 exp=explain.gone.example mx -all", "mail=pass other=fail"),
    Spf("prefix-of-a", "v=spf1 a/24 -all", "web=pass mail=pass other=fail 2001:db8::80=pass"),
    Spf("prefix-of-mx", "v=spf1 mx/30 -all", "192.0.2.26=pass 192.0.2.28=fail"),
    Spf("prefix-ipv6", "v=spf1 a//64 -all", "mail6=pass other6=fail mail=fail web=pass"),
    Spf("prefix-both", "v=spf1 mx/24//64 -all", "web=pass 2001:db8::80=pass other6=fail"),
    Spf(
        "prefix-both-of-host",
        "v=spf1 a:mail.prefix-both-of-host.example/24//64 ~all",
        "web=pass other=softfail mail6=pass",
    ),
    Spf("host-bits", "v=spf1 ip4:192.0.2.99/24 ip6:2001:db8::99/32 -all", "mail=pass mail6=pass"),
    Spf("whole-internet", "v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all", "other=pass other6=pass"),
    Spf("ipv6-internet", "v=spf1 ip6:::/0 -all", "mail=fail mail6=pass"),
    Spf("ipv6-spellings", "v=spf1 ip6:2001:DB8:0:0:0:0:0:25 -all", "mail6=pass other6=fail"),
    Spf("ipv6-with-ipv4-in-it", "v=spf1 ip6:2001:db8::192.0.2.25 -all", "2001:db8::c000:219=pass"),
    Spf("mapped-client", "v=spf1 ip4:192.0.2.25 -all", "::ffff:192.0.2.25=pass"),
    Spf("final-dot", "v=spf1 include:_spf.google.com. -all", "74.125.1.1=pass other=fail"),
    Spf(
        "include-by-alias", "v=spf1 include:alias.gone.example -all", "77.32.150.3=pass other=fail"
    ),
    Spf(
        "include-no-match", "v=spf1 include:closed.gone.example mx ~all", "mail=pass other=softfail"
    ),
    Spf("include-neutral", "v=spf1 include:unsure.gone.example mx -all", "mail=pass other=fail"),
    Spf("include-everyone", "v=spf1 include:everyone.gone.example -all", "other=pass"),
    Spf("include-to-refuse", "v=spf1 -include:spf.brevo.com +all", "77.32.150.3=fail other=pass"),
    Spf("include-to-doubt", "v=spf1 ?include:spf.brevo.com -all", "77.32.150.3=neutral other=fail"),
    Spf("deny-one", "v=spf1 -ip4:198.51.100.7 ~mx ?all", "other=fail mail=softfail web=neutral"),
    Spf(
        "exists-by-address",
        "v=spf1 exists:%{i}.allow.%{d} -all",
        "mail=pass mail6=fail other=fail",
        zone="192.0.2.25.allow A 127.0.0.2",
    ),
    Spf(
        "exists-by-sender",
        "v=spf1 exists:%{l}.%{o}._spf.%{d2} -all",
        "mail=pass other=pass",
        zone="user.exists-by-sender.example._spf A 127.0.0.2",
    ),
    Spf(
        "exists-reversed",
        "v=spf1 exists:%{ir}.%{v}.%{d1r} ~all",
        "mail=pass other=softfail",
    ),
    Spf(
        "exists-ipv6",
        "v=spf1 exists:%{ir}.%{v}.rbl.%{d} ~all",
        "mail6=pass other6=softfail",
        zone="5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.rbl A 127.0.0.2",
    ),
    Spf(
        "exists-capital-macro",
        "v=spf1 exists:%{L}.%{D2} -all",
        "other=pass",
        zone="user A 127.0.0.2",
    ),
    Spf("ptr-of-its-own", "v=spf1 ptr -all", "mail=pass other=fail"),
    Spf("ptr-elsewhere", "v=spf1 ptr:ovh.net ~all", "188.33.45.9=pass mail=softfail"),
    Spf(
        "ten-look-ups",
        "v=spf1 include:_spf.google.com include:mailgun.org include:sendgrid.net mx ~all",
        "mail=pass other=softfail",
    ),
    Spf(
        "ten-mail-hosts",
        "v=spf1 mx -all",
        "203.0.113.10=pass other=fail",
        zone=_MXES,
    ),
    Spf(
        "two-void-look-ups",
        "v=spf1 a:gone1.gone.example a:gone2.gone.example mx -all",
        "mail=pass other=fail",
    ),
    Spf("split-well", ("v=spf1 mx ", "ip4:198.51.100.7 -all"), "mail=pass other=pass web=fail"),
    Spf("split-in-a-word", ("v=spf1 mx ip4:198.51", ".100.7 -all"), "other=pass web=fail"),
    Spf("split-in-the-version", ("v=sp", "f1 mx -all"), "mail=pass other=fail"),
    Spf(
        "long",
        "v=spf1 " + " ".join(f"ip4:203.0.113.{n}" for n in range(1, 40)) + " -all",
        "203.0.113.39=pass 203.0.113.40=fail",
    ),
    Spf(
        "other-texts-beside",
        "v=spf1 mx -all",
        "mail=pass other=fail",
        also=("google-site-verification=abc", "MS=ms1", "v=DMARC1; p=none", "v=spf10 mx"),
    ),
    Spf("sender-id-beside", "v=spf1 mx -all", "mail=pass", also=("spf2.0/pra mx -all",)),
    Spf("no-mail-hosts", "v=spf1 mx -all", "mail=fail", zone="@ A 192.0.2.80"),
    Spf("null-mx", "v=spf1 mx -all", "mail=fail", zone="@ MX 0 ."),
    Spf(
        "mail-host-alias", "v=spf1 mx -all", "mail=pass", zone="@ MX 5 m\nm CNAME n\nn A 192.0.2.25"
    ),
    Spf("delimiters", "v=spf1 exists:%{l1r-}.%{d} -all", "other=pass", zone="user A 127.0.0.1"),
    Spf(
        "underscore-names",
        "v=spf1 include:_a._b.underscore-names.example -all",
        "other=pass",
        zone='_a._b TXT "v=spf1 ip4:198.51.100.0/24 -all"',
    ),
)

NOT_SPF: Final = (
    Spf("leading-blank", " v=spf1 mx -all", "mail=none"),
    Spf("version-10", "v=spf10 mx -all", "mail=none"),
    Spf("version-with-point", "v=spf1.0 mx -all", "mail=none"),
    Spf("semicolon-after-version", "v=spf1; mx -all", "mail=none"),
    Spf("comma-after-version", "v=spf1, mx -all", "mail=none"),
    Spf("glued-to-version", "v=spf1mx -all", "mail=none"),
    Spf("quotes-inside", '"v=spf1 mx -all"', "mail=none"),
    Spf("blank-in-version", "v = spf1 mx -all", "mail=none"),
    Spf("without-v", "spf1 mx -all", "mail=none"),
    Spf("sender-id-only", "spf2.0/mfrom,pra mx -all", "mail=none"),
    Spf("tab-after-version", "v=spf1\tmx -all", "mail=none"),
    Spf("hard-blank-after-version", "v=spf1\u00a0mx -all", "mail=none"),
    Spf("split-at-version", ("v=spf1", "mx -all"), "mail=none"),
    Spf("verification-only", "google-site-verification=abc", "mail=none"),
)

BROKEN: Final = (
    Spf("two-records", "v=spf1 mx -all", "mail=permerror", also=("v=spf1 a -all",)),
    Spf("same-record-twice-but-case", "v=spf1 mx -all", "mail=permerror", also=("V=SPF1 mx -all",)),
    Spf("blank-after-colon", "v=spf1 include: _spf.google.com ~all", "mail=permerror"),
    Spf("blank-before-colon", "v=spf1 include :_spf.google.com ~all", "mail=permerror"),
    Spf("blank-after-qualifier", "v=spf1 mx - all", "mail=permerror other=permerror"),
    Spf("ipv6-behind-ip4", "v=spf1 ip4:2001:db8::25 -all", "mail6=permerror"),
    Spf("ipv4-behind-ip6", "v=spf1 ip6:192.0.2.25 -all", "mail=permerror"),
    Spf("host-behind-ip4", "v=spf1 ip4:mail.example.com -all", "mail=permerror"),
    Spf("ip-mechanism", "v=spf1 ip:192.0.2.25 -all", "mail=permerror"),
    Spf("ipv4-mechanism", "v=spf1 ipv4:192.0.2.25 -all", "mail=permerror"),
    Spf("bare-address", "v=spf1 192.0.2.25 -all", "mail=permerror"),
    Spf("bare-host", "v=spf1 mx mail.example.com -all", "mail=permerror other=permerror"),
    Spf("glued-all-to-ip4", "v=spf1 ip4:192.0.2.25~all", "mail=permerror"),
    Spf("glued-all-to-mx", "v=spf1 mx~all", "mail=permerror"),
    Spf("glued-all-to-name", "v=spf1 include:_spf.google.com~all", "74.125.1.1=permerror"),
    Spf("glued-hard-all-to-name", "v=spf1 include:_spf.google.com-all", "74.125.1.1=permerror"),
    Spf("glued-terms", "v=spf1 ip4:192.0.2.25ip4:192.0.2.80 -all", "mail=permerror"),
    Spf(
        "split-without-blank",
        ("v=spf1 ip4:192.0.2.25", "include:spf.brevo.com -all"),
        "mail=permerror",
    ),
    Spf("semicolon-at-end", "v=spf1 mx -all;", "mail=permerror other=permerror"),
    Spf("semicolons", "v=spf1 mx; a; -all", "mail=permerror"),
    Spf("commas", "v=spf1 ip4:192.0.2.25,198.51.100.7 -all", "mail=permerror"),
    Spf("dot-after-all", "v=spf1 mx -all.", "mail=permerror other=permerror"),
    Spf("all-with-domain", "v=spf1 mx -all:example.com", "mail=permerror"),
    Spf("misspelt-all", "v=spf1 mx -al", "mail=permerror other=permerror"),
    Spf("en-dash", "v=spf1 mx \u2013all", "mail=permerror other=permerror"),
    Spf("curly-quote-at-end", "v=spf1 mx -all\u201d", "mail=permerror"),
    Spf("tab-between", "v=spf1 mx\t-all", "mail=permerror"),
    Spf("hard-blank-between", "v=spf1 a\u00a0mx -all", "mail=permerror"),
    Spf("empty-include", "v=spf1 mx include: -all", "mail=permerror"),
    Spf("include-nothing", "v=spf1 mx include -all", "mail=permerror"),
    Spf("empty-a", "v=spf1 a: -all", "web=permerror"),
    Spf("empty-a-with-prefix", "v=spf1 a:/24 -all", "web=permerror"),
    Spf("empty-ip4", "v=spf1 ip4: mx -all", "mail=permerror"),
    Spf("exists-nothing", "v=spf1 exists -all", "mail=permerror"),
    Spf("redirect-colon", "v=spf1 mx redirect:_spf.google.com", "mail=permerror"),
    Spf("redirect-qualified", "v=spf1 mx -redirect=_spf.google.com", "mail=permerror"),
    Spf("redirect-empty", "v=spf1 mx redirect=", "mail=permerror"),
    Spf(
        "redirect-twice",
        "v=spf1 redirect=_spf.google.com redirect=smtp.rzone.de",
        "74.125.1.1=permerror",
    ),
    Spf(
        "exp-twice",
        "v=spf1 mx exp=explain.gone.example exp=explain.gone.example -all",
        "mail=permerror",
    ),
    Spf("redirect-to-nothing", "v=spf1 mx redirect=_spf.gone.example", "mail=pass other=permerror"),
    Spf("prefix-33", "v=spf1 ip4:192.0.2.0/33 -all", "mail=permerror"),
    Spf("prefix-129", "v=spf1 ip6:2001:db8::/129 -all", "mail6=permerror"),
    Spf("prefix-of-mx-33", "v=spf1 mx/33 -all", "mail=permerror"),
    Spf("prefix-leading-zero", "v=spf1 ip4:192.0.2.0/024 -all", "mail=permerror"),
    Spf("prefix-of-a-leading-zero", "v=spf1 a/024 -all", "web=permerror"),
    Spf("prefix-empty", "v=spf1 ip4:192.0.2.0/ -all", "mail=permerror"),
    Spf("netmask", "v=spf1 ip4:192.0.2.0/255.255.255.0 -all", "mail=permerror"),
    Spf("prefix-single-slash", "v=spf1 a/24/64 -all", "web=permerror"),
    Spf("prefix-of-ptr", "v=spf1 ptr/24 -all", "mail=permerror"),
    Spf("prefix-of-include", "v=spf1 include:spf.brevo.com/24 -all", "mail=permerror"),
    Spf("three-octets", "v=spf1 ip4:192.0.2/24 -all", "mail=permerror"),
    Spf("octet-256", "v=spf1 ip4:192.0.2.256 -all", "mail=permerror"),
    Spf("octet-leading-zero", "v=spf1 ip4:192.0.02.25 -all", "mail=permerror"),
    Spf("port", "v=spf1 ip4:192.0.2.25:25 -all", "mail=permerror"),
    Spf("range", "v=spf1 ip4:192.0.2.1-192.0.2.99 -all", "mail=permerror"),
    Spf("ipv6-in-brackets", "v=spf1 ip6:[2001:db8::25] -all", "mail6=permerror"),
    Spf("ipv6-two-gaps", "v=spf1 ip6:2001::db8::25 -all", "mail6=permerror"),
    Spf("address-behind-a", "v=spf1 a:192.0.2.25 -all", "mail=permerror"),
    Spf("single-label", "v=spf1 a:localhost -all", "mail=permerror"),
    Spf("web-address", "v=spf1 include:https://spf.brevo.com -all", "mail=permerror"),
    Spf("unknown-macro", "v=spf1 exists:%{x}.example.com -all", "mail=permerror"),
    Spf("open-macro", "v=spf1 exists:%{i.example.com -all", "mail=permerror"),
    Spf("open-macro-in-modifier", "v=spf1 mx x-note=%{d -all", "mail=permerror"),
    Spf("lone-percent", "v=spf1 exists:100%.example.com -all", "mail=permerror"),
    Spf("explanation-macro", "v=spf1 exists:%{t}.example.com -all", "mail=permerror"),
    Spf("macro-keeps-nothing", "v=spf1 exists:%{d0}.example.com -all", "mail=permerror"),
    Spf("broken-behind-match", "v=spf1 mx ipv4:198.51.100.7 -all", "mail=permerror"),
    Spf("broken-behind-all", "v=spf1 mx -all ipv4:198.51.100.7", "mail=permerror other=permerror"),
    Spf(
        "include-without-spf",
        "v=spf1 mx include:_spf.gone.example ~all",
        "mail=pass other=permerror",
    ),
    Spf("include-nowhere", "v=spf1 include:no.gone.example mx ~all", "mail=permerror"),
    Spf("include-broken", "v=spf1 include:broken.gone.example ~all", "mail=permerror"),
    Spf("include-of-two", "v=spf1 include:twice.gone.example ~all", "mail=permerror"),
    Spf("include-alias-to-nothing", "v=spf1 include:nothing.gone.example -all", "mail=permerror"),
    Spf(
        "include-itself",
        "v=spf1 mx include:include-itself.example -all",
        "mail=pass other=permerror",
    ),
    Spf("include-in-a-circle", "v=spf1 include:round.gone.example -all", "other=permerror"),
    Spf("redirect-to-itself", "v=spf1 redirect=redirect-to-itself.example", "other=permerror"),
    Spf(
        "eleven-look-ups",
        "v=spf1 include:_spf.google.com include:mailgun.org include:sendgrid.net mx a ~all",
        "mail=pass web=permerror other=permerror",
    ),
    Spf(
        "everything-included",
        "v=spf1 a mx include:_spf.google.com include:spf.protection.outlook.com"
        " include:sendgrid.net include:mailgun.org include:servers.mcsv.net"
        " include:mail.zendesk.com include:amazonses.com ~all",
        "mail=pass 54.240.1.1=permerror other=permerror",
    ),
    Spf(
        "eleven-mail-hosts",
        "v=spf1 mx -all",
        "other=permerror",
        zone=f"{_MXES}\n@ MX 11 mx11\nmx11 A 203.0.113.11",
    ),
    Spf(
        "three-void-look-ups",
        "v=spf1 a:gone1.gone.example a:gone2.gone.example a:gone3.gone.example mx -all",
        "mail=permerror",
    ),
    Spf(
        "dns-down-for-include",
        "v=spf1 mx include:dark.dns-down-for-include.example -all",
        "mail=pass other=temperror",
        failing=("dark",),
    ),
    Spf(
        "dns-down-for-a",
        "v=spf1 a:dark.dns-down-for-a.example mx -all",
        "mail=temperror",
        failing=("dark",),
    ),
)

SLIPS: Final = (
    # These fit the grammar, though nobody means them.
    Spf("ip4-equals", "v=spf1 mx ip4=198.51.100.7 -all", "mail=pass other=fail"),
    Spf("include-equals", "v=spf1 include=_spf.google.com -all", "74.125.1.1=fail"),
    Spf("version-twice", "v=spf1 v=spf1 mx -all", "mail=pass other=fail"),
    Spf("mail-address", "v=spf1 a:info@mail-address.example mx -all", "mail=pass other=fail"),
    Spf("all-equals", "v=spf1 mx all=fail", "mail=pass other=neutral"),
    Spf("all-equals-then-all", "v=spf1 mx all=fail -all", "mail=pass other=fail"),
    Spf(
        "all-equals-then-redirect",
        "v=spf1 all=fail redirect=_spf.google.com",
        "74.125.1.1=pass other=softfail",
    ),
)

MAIL_HOSTS: Final = tuple(
    Spf(
        f"{number}-mail-hosts-of-ipv4",
        "v=spf1 mx -all",
        "192.0.2.1=pass other=fail other6=fail",
        zone="\n".join(f"@ MX 10 mx{n}\nmx{n} A 192.0.2.{n}" for n in range(1, number + 1)),
    )
    for number in (1, 2, 3, 4)
)
"""Whether the look-ups for their addresses are void ones that count is not settled."""

SPF_RECORDS: Final = (*GOOD, *NOT_SPF, *BROKEN, *SLIPS, *MAIL_HOSTS)
