"""What is left out of what is recorded or sent, because of what it is called. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate
from functools import cache
from typing import Any

_SECRETS = (
    ".env",
    ".env.*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    "*credentials*.json",
    "*service*account*.json",
    "client_secret*.json",
    "secrets.*",
    "kubeconfig",
    "*.tfstate",
)
_SECRET_FOLDERS = (".ssh", ".aws", ".gnupg", ".kube", ".azure")
_NO_SECRETS = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub")

HIDDEN = "***"
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SECRET_WORDS = frozenset({"secret", "secrets", "password", "passwd", "passphrase", "credentials"})
_KEYS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key")})
# A language model's tokens have names too: `pad_token` is no secret, `hf_token` is.
_TOKENS = ("pad", "eos", "bos", "unk", "cls", "sep", "mask", "start", "end", "stop", "special")


def is_secret(path: str) -> bool:
    """Whether a file's name says that it holds a secret, as `.env`, `*.pem` or `id_rsa` do."""
    *folders, name = path.lower().split("/")
    if _any_of(_NO_SECRETS).match(name):
        return False
    hidden = any(folder in _SECRET_FOLDERS for folder in folders)
    return hidden or _any_of(_SECRETS).match(name) is not None


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)))


def is_secret_name(name: str) -> bool:
    """Whether a parameter's dotted name says that its value is a secret, as `db.password` does."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not _SECRET_WORDS.isdisjoint(words) or tuple(words[-2:]) in _KEYS or "apikey" in words:
        return True
    return words[-1:] == ["token"] and words[-2:-1] not in [[word] for word in _TOKENS]


def hidden(name: str, value: Any) -> Any:
    """`value` without the secrets that `name`, or a name within, says it has."""
    if isinstance(value, Mapping):
        return {key: hidden(f"{name}.{key}" if name else str(key), it) for key, it in value.items()}
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return value
    a_count = isinstance(value, int | float) and name.lower().endswith("token")
    return value if a_count else HIDDEN
