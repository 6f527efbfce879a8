"""The whole chain in one process, without Kafka and PostgreSQL: a telescope, not a fake of the system.

It proves nothing about crashes. It shows what the same handlers, by the same value streams, make of a day or a quarter
of demand, in seconds; and whether they are right in whatever order events come to them. Start reading at `chain.py`.
"""
