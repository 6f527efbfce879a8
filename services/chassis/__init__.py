"""The runtime that the six services share. Start reading at `lane.py`: the life of a batch.

What an author of a service uses: `handlers` (registration), `state` (rows), `outputs` (what a handler may return),
`work` (work items), `commands.Commanding` (HTTP commands), `service` (the application). What runs it: `worker` ->
`lane` -> `fold` -> `store`.
"""
