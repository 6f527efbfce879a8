import asyncpg
import pytest

from svc.machine import Machine, MachineError, provision

NAMES = {"machine_a": "first secret", "machine_b": "second: @/secret"}


async def test_each_role_opens_its_own_database_and_no_other(machine: Machine) -> None:
    urls = await provision(machine.admin_url, NAMES)
    for name, url in urls.items():
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select current_user") == f"svc_{name}"
        assert await connection.fetchval("select current_database()") == f"svc_{name}"
        await connection.execute("create table own (id int)")
        await connection.execute("drop table own")
        await connection.close()
    strange = urls["machine_a"].removesuffix("a") + "b"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="svc_machine_b"):
        await asyncpg.connect(strange)


async def test_a_repeated_provision_keeps_data_and_sets_the_password_given_last(
    machine: Machine,
) -> None:
    first = (await provision(machine.admin_url, {"machine_c": "old"}))["machine_c"]
    connection = await asyncpg.connect(first)
    await connection.execute("create table kept as select 1 as one")
    await connection.close()

    second = (await provision(machine.admin_url, {"machine_c": "new"}))["machine_c"]
    connection = await asyncpg.connect(second)
    assert await connection.fetchval("select one from kept") == 1
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(first)


async def test_an_administrator_who_is_no_superuser_can_provision(machine: Machine) -> None:
    connection = await asyncpg.connect(machine.admin_url)
    await connection.execute("create role machine_admin login createrole createdb password 'for others'")
    await connection.close()
    address = machine.admin_url.rpartition("@")[2]
    admin_url = f"postgresql://machine_admin:for%20others@{address}"
    for _ in range(2):
        urls = await provision(admin_url + "?application_name=admin", {"machine_d": "mine"})
    assert urls["machine_d"].endswith("/svc_machine_d?application_name=admin")
    connection = await asyncpg.connect(urls["machine_d"])
    await connection.execute("create table own (id int)")
    await connection.close()


async def test_a_user_who_may_not_provision_is_told_what_he_needs(machine: Machine) -> None:
    connection = await asyncpg.connect(machine.admin_url)
    await connection.execute("create role machine_nobody login password 'nothing'")
    await connection.close()
    address = machine.admin_url.rpartition("@")[2]
    with pytest.raises(MachineError, match=r"machine_nobody may not .*createrole createdb"):
        await provision(f"postgresql://machine_nobody:nothing@{address}", {"machine_e": "mine"})
