import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.value_chain import TOPICS
from svc import topics
from svc.machine import Machine
from svc.topics import create_topics
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
