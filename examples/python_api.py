"""Let one more server send mail, in a zone of each kind; on a sandbox, so that it runs anywhere.

At netcup, leave the sandbox and the endpoints out, and give the back end your own credentials:
CcpBackend for a zone that the customer control panel shows under "DNS", CloudDnsBackend for one
under "CloudDNS".
"""

from pydantic import SecretStr

import netcup_mailauth as mailauth

policy = mailauth.DomainPolicy(spf=mailauth.SpfPolicy(require=["ip4:203.0.113.7"]))

with mailauth.Sandbox(["example.com", "example.org"], clouddns=["example.org"]) as netcup:
    secrets = {name: SecretStr(value or "") for name, value in netcup.env.items()}
    ccp = mailauth.CcpBackend(
        secrets["NETCUP_CUSTOMER_NUMBER"].get_secret_value(),
        secrets["NETCUP_API_KEY"],
        secrets["NETCUP_API_PASSWORD"],
        endpoint=netcup.ccp_endpoint,
    )
    clouddns = mailauth.CloudDnsBackend(
        secrets["NETCUP_REST_API_KEY"], endpoint=netcup.rest_endpoint
    )
    for domain, backend in (("example.com", ccp), ("example.org", clouddns)):
        with backend:
            draft = mailauth.Planner(backend).draft(mailauth.Wish(domain, policy))
            for change in draft.change_set.changes:
                print(domain, change.action, change.after and change.after.destination)
            for finding in draft.change_set.findings:  # what the change may do to mail
                print(domain, finding.severity, finding.code)
            print(domain, mailauth.Writer(backend).write(draft.change_set, draft.zone).status)
