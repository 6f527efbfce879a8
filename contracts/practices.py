"""The 34 management practices of ITIL 4, by name.

A practice belongs to no activity: any step may draw on any of them.
"""

# fmt: off
GENERAL_MANAGEMENT = (
    "architecture management", "continual improvement", "information security management",
    "knowledge management", "measurement and reporting", "organisational change management",
    "portfolio management", "project management", "relationship management", "risk management",
    "service financial management", "strategy management", "supplier management",
    "workforce and talent management",
)
SERVICE_MANAGEMENT = (
    "availability management", "business analysis", "capacity and performance management",
    "change enablement", "incident management", "IT asset management",
    "monitoring and event management", "problem management", "release management",
    "service catalogue management", "service configuration management",
    "service continuity management", "service design", "service desk", "service level management",
    "service request management", "service validation and testing",
)
TECHNICAL_MANAGEMENT = (
    "deployment management", "infrastructure and platform management",
    "software development and management",
)
# fmt: on

PRACTICES: tuple[str, ...] = GENERAL_MANAGEMENT + SERVICE_MANAGEMENT + TECHNICAL_MANAGEMENT
"""All of them, group by group: what a step of a value stream may name."""
