"""What well-known senders publish, as far as the records of the corpus ask for it.

Written from memory in November 2026, networks shortened: their shape is what counts, not whether
a network is still in use. ``gone.example`` and the names below it are made up.
"""

from __future__ import annotations

from typing import Final

PROVIDERS: Final = r"""
_spf.webhosting.systems. TXT "v=spf1 ip4:46.38.249.0/24 ip6:2a03:4000:1::/48 ~all"
_spf.google.com. TXT (
    "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com "
    "include:_netblocks3.google.com ~all" )
_netblocks.google.com. TXT (
    "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 "
    "ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 "
    "ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip4:216.239.32.0/19 ~all" )
_netblocks2.google.com. TXT (
    "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 "
    "ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all" )
_netblocks3.google.com. TXT (
    "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.253.56.0/21 "
    "ip4:108.177.96.0/19 ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all" )
spf.protection.outlook.com. TXT (
    "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 "
    "ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 "
    "ip6:2a01:111:f403:8000::/51 -all" )
servers.mcsv.net. TXT "v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ip4:148.105.8.0/21 ?all"
spf.mandrillapp.com. TXT "v=spf1 ip4:198.2.128.0/24 ip4:198.2.132.0/22 ip4:205.201.136.0/23 -all"
sendgrid.net. TXT (
    "v=spf1 ip4:167.89.0.0/17 ip4:208.117.48.0/20 ip4:168.245.0.0/17 ip4:149.72.0.0/16 "
    "include:ab.sendgrid.net ~all" )
ab.sendgrid.net. TXT "v=spf1 ip4:223.165.113.0/24 ip4:223.165.118.0/23 ~all"
mailgun.org. TXT "v=spf1 include:_spf.mailgun.org include:_spf.eu.mailgun.org ~all"
_spf.mailgun.org. TXT "v=spf1 ip4:209.61.151.0/24 ip4:166.78.68.0/22 ip4:198.61.254.0/23 ~all"
_spf.eu.mailgun.org. TXT "v=spf1 ip4:141.193.32.0/23 ip4:161.38.192.0/20 ~all"
amazonses.com. TXT (
    "v=spf1 ip4:199.255.192.0/22 ip4:199.127.232.0/22 ip4:54.240.0.0/18 "
    "ip4:69.169.224.0/20 ip4:23.249.208.0/20 -all" )
spf.brevo.com. TXT "v=spf1 ip4:185.41.28.0/22 ip4:94.143.16.0/21 ip4:77.32.128.0/18 ~all"
spf.mailjet.com. TXT "v=spf1 ip4:185.189.236.0/22 ip4:185.211.120.0/22 ip4:87.253.232.0/21 ?all"
mail.zendesk.com. TXT "v=spf1 ip4:103.151.192.0/23 ip4:185.12.80.0/22 ip4:188.172.128.0/20 ~all"
_spf.mx.cloudflare.net. TXT "v=spf1 ip4:104.30.0.0/20 ip6:2405:8100:c000::/38 ~all"
mx.ovh.com. TXT (
    "v=spf1 ptr:mail-out.ovh.net ptr:mail.ovh.net ip4:8.33.137.105/32 ip4:192.99.77.81/32 "
    "?all" )
9.45.33.188.in-addr.arpa. PTR 9.mo7.mail-out.ovh.net.
9.mo7.mail-out.ovh.net. A 188.33.45.9
smtp.rzone.de. TXT "v=spf1 ip4:81.169.146.128/25 ip4:85.215.255.0/24 ip6:2a01:238:400:200::/64 ~all"
_spf.kundenserver.de. TXT (
    "v=spf1 ip4:212.227.126.128/25 ip4:212.227.15.0/25 ip4:217.72.192.64/26 ?all" )
_spf.salesforce.com. TXT "v=spf1 exists:%{i}._spf.mta.salesforce.com -all"
13.108.238.141._spf.mta.salesforce.com. A 127.0.0.1
spf-00123456.pphosted.com. TXT "v=spf1 include:%{ir}.%{v}.%{d}.spf.has.pphosted.com ~all"
9.17.154.148.in-addr.spf-00123456.pphosted.com.spf.has.pphosted.com. TXT (
    "v=spf1 ip4:148.154.17.9 -all" )
7.100.51.198.in-addr.spf-00123456.pphosted.com.spf.has.pphosted.com. TXT "v=spf1 -all"
192.0.2.25._ip.helo.client.example._ehlo.valimail.example._spf.vali.example. TXT "v=spf1 +all"
25.2.0.192.in-addr.exists-reversed. A 127.0.0.2
_spf.gone.example. TXT "google-site-verification=no-spf-here"
broken.gone.example. TXT "v=spf1 ipv4:192.0.2.25 -all"
twice.gone.example. TXT "v=spf1 mx -all"
twice.gone.example. TXT "v=spf1 a -all"
round.gone.example. TXT "v=spf1 include:about.gone.example -all"
about.gone.example. TXT "v=spf1 include:round.gone.example -all"
alias.gone.example. CNAME spf.brevo.com.
nothing.gone.example. CNAME nobody.gone.example.
closed.gone.example. TXT "v=spf1 -all"
unsure.gone.example. TXT "v=spf1 ?all"
everyone.gone.example. TXT "v=spf1 +all"
explain.gone.example. TXT "See https://explain.gone.example/?%{S}"
25.2.0.192.in-addr.arpa. PTR mail.ptr-of-its-own.example.
7.100.51.198.in-addr.arpa. PTR mail.ptr-of-its-own.example.
"""
"""Zone data at the root, shared by all records."""
