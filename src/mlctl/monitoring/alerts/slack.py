"""Slack, and services that take its incoming webhooks (Mattermost, Rocket.Chat)."""

from __future__ import annotations

from mlctl.monitoring.alerts._message import Message
from mlctl.monitoring.alerts._post import post
from mlctl.monitoring.spec import Channel


def send(address: str, message: Message, channel: Channel) -> None:
    """POST the message. Raises NotSent."""
    del channel  # a webhook knows its own
    mark = ":white_check_mark:" if message.said == "closed" else ":rotating_light:"
    lines = "\n".join(map(_plain, message.lines))
    post(address, {"text": f"{mark} *{_plain(message.title)}*\n{lines}"})


def _plain(text: str) -> str:
    """Slack reads <, > and & as markup: a column's name could call a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
