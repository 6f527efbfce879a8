"""`svc bench`: what the chassis is worth, measured against other ways of doing the same.

One hop is measured: Deliver and support hears `ServiceReleased`, its handler `put_live` changes the demand's own row
(`Deployment`) and a row shared by all demands for the service (`LiveService`), and `ServiceDelivered` is told. It is
the shipped hop with one documented event in, one out, two rows changed, and nothing left to be done afterwards.

`backlog` makes the events, `workers` are the other ways, `arena` runs a worker and measures it; `hop`, `latency`,
`scale` and `pairs` are what is asked.
"""
