"""Any service that takes JSON: `mlctl.alert/1` (docs/formats/incident.md)."""

from __future__ import annotations

from mlctl.monitoring.alerts._message import Message
from mlctl.monitoring.alerts._post import post
from mlctl.monitoring.spec import Channel


def send(address: str, message: Message, channel: Channel) -> None:
    """POST the message. Raises NotSent."""
    del channel  # the address says it all
    post(
        address,
        {
            "schema": "mlctl.alert/1",
            "monitor": message.monitor,
            "event": message.said,
            "since": message.since,
            "period": message.period,
            "verdict": message.verdict,
            "title": message.title,
            "lines": list(message.lines),
        },
    )
