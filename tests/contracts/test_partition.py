"""A case is on the partition on which any client of Kafka's would put it by its key."""

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from contracts.partition import partition_of


@given(st.text(max_size=80), st.integers(1, 1000))
def test_it_is_where_kafkas_own_clients_put_the_key(case: str, partitions: int) -> None:
    assert partition_of(case, partitions) == (murmur2(case.encode()) & 0x7FFFFFFF) % partitions
