"""Tell people of incidents: each channel once when one begins, and once when it ends."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib import import_module

from mlctl.errors import MlctlError
from mlctl.monitoring import incidents
from mlctl.monitoring.alerts._message import Message
from mlctl.monitoring.incidents import Incident, Said
from mlctl.monitoring.report import committed
from mlctl.monitoring.report.words import headline
from mlctl.monitoring.spec import Channel, MonitorSpec

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Told:
    """One message to one channel; `error` says why it was not sent."""

    incident: Incident
    channel: str
    message: Message
    error: str | None = None


def tell(root: StrPath, spec: MonitorSpec, *, dry: bool = False) -> list[Told]:
    """Send what is due. A message that fails is due again the next time; nothing is sent twice."""
    done = []
    for incident in incidents.update(root, spec.name):
        for number, channel in enumerate(spec.alerts, start=1):
            name = (
                f"{channel.kind}:{channel.url_env}"
                if channel.url_env
                else f"{channel.kind}:{number}"
            )
            owed = incident.owes(name)
            if owed is None:
                continue
            message = message_of(root, incident, owed)
            error = None if dry else _sent(channel, message)
            if error is None and not dry:
                incident = replace(incident, told={**incident.told, name: owed})
                incidents.write(root, incident)  # at once: a kill must not send it again
            done.append(Told(incident, name, message, error))
    return done


def message_of(root: StrPath, incident: Incident, said: Said) -> Message:
    """What is told of an incident: what, since when, and what to do."""
    name = incident.monitor
    period = incident.closed if said == "closed" else incident.last
    report = committed.find(root, name, period)
    if said == "closed":
        title = f"{name}: back to normal in {period}, after {incident.since} to {incident.last}"
        lines: list[str] = []
    else:
        what = "the model got worse" if incident.verdict == "degraded" else "drift"
        title = f"{name}: {what} since {incident.since}"
        lines = [headline(report), *(f"because {cause.text}" for cause in report.causes[:3])]
    base = f"{committed.FOLDER}/{name}/{report.stem}"
    lines.append(f"report: {base}.md, page: {base}.html")
    if said == "opened":
        lines.append(f"known? mlctl monitor mute {name} --until DATE --reason TEXT")
    return Message(name, said, incident.since, period, report.verdict, title, tuple(lines))


def _sent(channel: Channel, message: Message) -> str | None:
    """Send it; what went wrong, or None."""
    address = os.environ.get(channel.url_env, "")
    if not address:
        return f"{channel.url_env} is not set"
    module = import_module(f"mlctl.monitoring.alerts.{channel.kind}")
    try:
        module.send(address, message, channel)
    except MlctlError as error:
        return error.message
    return None
