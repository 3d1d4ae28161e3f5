"""Put one SPF record right from Python; against a sandbox, so that it runs anywhere.

At netcup, leave the sandbox out and give CcpBackend your own three credentials.
"""

from pydantic import SecretStr

from netcup_mailauth import CcpBackend, DomainPolicy, Planner, Sandbox, SpfPolicy, Wish, Writer

wish = Wish("example.com", DomainPolicy(spf=SpfPolicy(record="v=spf1 mx a -all")))

with Sandbox(["example.com"]) as netcup:
    number, key, password = (
        netcup.env[f"NETCUP_{name}"] or ""
        for name in ("CUSTOMER_NUMBER", "API_KEY", "API_PASSWORD")
    )
    backend = CcpBackend(number, SecretStr(key), SecretStr(password), endpoint=netcup.ccp_endpoint)
    with backend:
        draft = Planner(backend).draft(wish)
        for change in draft.change_set.changes:
            print(change.action, change.hostname, change.after and change.after.destination)
        print(Writer(backend).write(draft.change_set, draft.zone).status)
