"""Mail by SMTP: `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…:465`."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from mlctl.monitoring.alerts._message import Message, NotSent
from mlctl.monitoring.spec import Channel

PATIENCE = 15.0  # seconds
_PORTS = {"smtp": 587, "smtps": 465}


def send(address: str, message: Message, channel: Channel) -> None:
    """Send to all of `channel.to`. Raises NotSent; a password goes over a safe line only."""
    try:
        url = urlsplit(address)
        host, port = url.hostname, url.port
    except ValueError:
        raise NotSent("the address is no smtp or smtps URL") from None
    if url.scheme not in _PORTS or not host:
        raise NotSent("the address is no smtp or smtps URL")
    if not channel.to:
        raise NotSent("nobody to send to: `{mail: SMTP_URL, to: [team@example.org]}`")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = user if "@" in user else f"mlctl@{host}"
    mail["To"] = ", ".join(channel.to)
    mail.set_content(message.text)
    try:
        with _connected(url.scheme, host, port or _PORTS[url.scheme]) as server:
            if user:
                server.login(user, password)
            server.send_message(mail)
    except smtplib.SMTPException as error:
        raise NotSent(f"{host}: {type(error).__name__}") from None
    except OSError as error:
        raise NotSent(f"{host}: {error.strerror or type(error).__name__}") from None


def _connected(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=PATIENCE)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    return server
