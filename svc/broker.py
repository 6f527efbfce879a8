"""How the commands reach a Kafka: as `SVC_KAFKA` says, which is what the services go by."""

from services.chassis.settings import Settings


def clients(bootstrap: str) -> dict[str, object]:
    """What a client of the Kafka at this address is made with."""
    return Settings(bootstrap=bootstrap).broker
