"""What can be configured about a service, by environment variables with the prefix `SVC_`."""

from pathlib import Path
from ssl import create_default_context as trusted
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.chassis.work import Way


class Settings(BaseSettings):
    """One service's settings; a wrong value ends the process at start with the variable's name and what it may be."""

    model_config = SettingsConfigDict(env_prefix="SVC_", extra="ignore")

    bootstrap: str = "127.0.0.1:9092"
    """Kafka's bootstrap servers."""
    kafka: dict[str, str] = {}
    """How its clients prove who they are, as JSON by aiokafka's names: `{"security_protocol": "SASL_SSL", ...}`."""
    database: str = ""
    """URL of this service's own database, with its own role."""
    host: str = "127.0.0.1"
    port: int = 0
    """Where the HTTP API listens; port 0 takes a free one."""
    instance: str = ""
    """A stable name of this replica (`group.instance.id`), so it works again 1 s after a crash; never shared."""
    group: str = ""
    """The consumer group; empty: `svc.<activity>`."""
    partitions: int = Field(default=3, ge=1, le=1000)
    """Partitions of every topic, the same everywhere; the start-up check refuses another number."""
    lanes: int = Field(default=3, ge=1, le=64)
    """How many batches are worked on at once; each has a database connection."""
    batch: int = Field(default=500, ge=1, le=10_000)
    """Most records in one transaction."""
    clock: str = ""
    """Segments of the chain's clock, `wall,chain,speed;...`; empty is the wall's time."""
    streams: Path = Path(__file__).parents[2] / "contracts" / "value_streams"
    """The folder with the value stream files."""
    work: Way = "auto"
    """How work is done: auto, simulated or manual."""
    centres: dict[str, int] = {}
    """How many people each work centre (the owner of work) has; simulated work waits for one. Others have enough."""
    minutes: dict[str, tuple[float, float, float]] = {}
    """Least, usual and most minutes that simulated work of an owner takes (a triangle); other work takes its effort."""
    keep_receipts: float = Field(default=0, ge=0)
    """Days after which a receipt is a mere trail: longer than any topic is kept, or commands happen twice. 0: never."""
    otlp: str = ""
    """Where spans go (OTLP over HTTP), for example http://127.0.0.1:4318; empty: nowhere."""
    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of demands that are traced, decided once per demand at its first contact."""
    trace_always: str = ""
    """What is traced whatever the share: kinds of demand, types of ticket, names of commands, separated by commas."""
    trace_mode: Literal["parent", "link"] = "parent"
    """`link` makes each record a trace of its own, linked to who told it: where traces are dropped before work ends."""
    wait: float = Field(default=10.0, gt=0, le=60)
    """Seconds an HTTP command waits for its answer unless `Prefer: wait=` says less; then 202 says where to look."""
    max_body: int = Field(default=262_144, ge=1024, le=900_000)
    """Largest HTTP body in bytes; a record must fit into Kafka's 1 MiB."""

    @property
    def broker(self) -> dict[str, object]:
        """What every client of Kafka is made with. Trusted by TLS is what OpenSSL trusts, or `SSL_CERT_FILE`."""
        return dict(bootstrap_servers=self.bootstrap, metadata_max_age_ms=10_000, ssl_context=trusted(), **self.kafka)
