import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.value_chain import TOPICS
from svc import topics
from svc.machine import Machine
from svc.topics import check_retention, create_topics
from svc.trouble import Trouble


async def settings(bootstrap: str, topic: str) -> dict[str, str]:
    """How a topic is configured."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {name: value for name, value, *_ in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_topics_are_made_once_and_kept(machine: Machine):
    await create_topics(machine.bootstrap)
    assert await create_topics(machine.bootstrap) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=machine.bootstrap)
    await admin.start()
    there = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    await admin.close()
    assert {topic: there[topic] for topic in TOPICS} == dict.fromkeys(TOPICS, 3)


async def test_events_are_kept_for_ever_and_dead_letters_for_thirty_days(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    # names of this test's own: another suite may have made the chain's topics its own way
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.kept", "svc.test.dlq"))
    monkeypatch.setattr(topics, "dead_letters", lambda activity: "svc.test.dlq")
    assert await create_topics(machine.bootstrap) == ["svc.test.kept", "svc.test.dlq"]
    assert (await settings(machine.bootstrap, "svc.test.kept"))["retention.ms"] == "-1"
    assert (await settings(machine.bootstrap, "svc.test.dlq"))["retention.ms"] == str(30 * 24 * 3600 * 1000)


async def test_a_topic_that_keeps_records_for_less_than_an_outage_takes_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    admin = AIOKafkaAdminClient(bootstrap_servers=machine.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("svc.test.short", 1, 1, topic_configs={"retention.ms": "3600000"})])
    await admin.close()
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.short",))
    with pytest.raises(Trouble, match=r"svc\.test\.short keeps records for 1:00:00 only.*604800000"):
        await check_retention(machine.bootstrap)


async def test_a_topic_that_keeps_records_for_longer_than_receipts_are_kept_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.for-ever",))
    await create_topics(machine.bootstrap)
    assert await check_retention(machine.bootstrap, keep_receipts=0) == []
    with pytest.raises(Trouble, match=r"svc\.test\.for-ever keeps records for ever.*for 30 days.*SVC_KEEP_RECEIPTS"):
        await check_retention(machine.bootstrap, keep_receipts=30)
    admin = AIOKafkaAdminClient(bootstrap_servers=machine.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("svc.test.month", 1, 1, topic_configs={"retention.ms": "2592000000"})])
    await admin.close()
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.month",))
    with pytest.raises(Trouble, match="for 30 days, 0:00:00, and receipts are kept for 30 days: "):
        await check_retention(machine.bootstrap, keep_receipts=30)
    assert await check_retention(machine.bootstrap, keep_receipts=31) == []


async def test_records_that_were_deleted_before_they_were_read_are_counted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.deleted",))
    monkeypatch.setattr(topics, "ACTIVITIES", ("retention-test",))
    await create_topics(machine.bootstrap, 1)
    place, server = TopicPartition("svc.test.deleted", 0), {"bootstrap_servers": machine.bootstrap}
    async with AIOKafkaProducer(**server) as producer:
        for number in range(5):
            await producer.send_and_wait(place.topic, bytes([number]), partition=0)
    async with AIOKafkaConsumer(**server, group_id="svc.retention-test", enable_auto_commit=False) as consumer:
        consumer.assign([place])
        await consumer.commit({place: 1})
    assert await check_retention(machine.bootstrap) == []
    admin = AIOKafkaAdminClient(**server)
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()
    (lost,) = await check_retention(machine.bootstrap)
    assert lost == "2 records of svc.test.deleted, partition 0, were deleted before retention-test had read them."


async def test_a_topic_with_other_partitions_is_named_and_nothing_is_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.three",))
    await create_topics(machine.bootstrap)
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.new", "svc.test.three"))
    with pytest.raises(Trouble, match=r"svc\.test\.three has 3 partitions and must have 4"):
        await create_topics(machine.bootstrap, 4)
    monkeypatch.setattr(topics, "TOPICS", ("svc.test.new",))
    assert await create_topics(machine.bootstrap) == ["svc.test.new"]
