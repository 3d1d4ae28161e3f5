"""The REST API `/v1` of the zones on CloudDNS (part 2 of the netcup facts, R1 to R16).

    endpoint.py    HTTP: from a request to a reply, with the faults in between
    calls.py       which call a request is
    desk.py        who is let in, and which action answers
    bodies.py      the JSON a call brings
    answers.py     an answer, its envelope, and the known errors
    paging.py      lists by pages
    reading.py     the calls that read: domain, revisions, records
    changeset.py   the call that writes
    acme.py        the challenges of certificates
    revisions.py   the states of each zone
    domains.py     the numbers of the domains
    mishaps.py     how a call fails in the ways only this API has
    handle.py      what a test can see of it

A zone keeps its records once, in the CCP's form. What this API makes of one, and of its fields:

    rows.py, names.py, rdata.py, txt.py
"""
