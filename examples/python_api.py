"""Three right records, in a zone of each kind; on a sandbox, so that it runs anywhere.

At netcup, leave the sandbox out: `Netcup.from_environment()` reads what the command reads.
"""

from netcup_mailauth import Netcup, Sandbox

WANTED = {"spf_require": "ip4:203.0.113.7", "dmarc": "v=DMARC1;p=none", "dkim": "mailcow"}

sandbox = Sandbox(["example.com", "example.org"], clouddns=["example.org"])
with sandbox, Netcup.from_environment(sandbox.env) as netcup:
    plan = netcup.plan("example.com", "example.org", **WANTED)
    print(plan)
    for result in netcup.apply(plan).results:
        print(result.change_set.place.domain, result.status)
