"""Three right records in a zone of each kind; on a sandbox. At netcup: Netcup.from_environment()"""

from netcup_mailauth import RefusedError, Sandbox

SPF, DMARC = "v=spf1 mx a -all", "v=DMARC1;p=quarantine;rua=mailto:postmaster@example.com"
domains = ("example.com", "example.org")
with Sandbox(domains, clouddns=["example.org"]) as sandbox, sandbox.netcup() as netcup:
    plan = netcup.plan(*domains, spf=SPF, dkim="mailcow", dmarc=DMARC)
    print(plan)  # the diff; nothing is written yet
    try:
        run = netcup.apply(plan)
    except RefusedError as error:
        print(error, error.advice)
        run = netcup.apply(plan.allow("spf-drops-sender"))
    print(run)  # what became of each domain
