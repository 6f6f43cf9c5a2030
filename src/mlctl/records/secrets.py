"""Files that are left out of what is recorded or sent, because of what they are called. Pure."""

from __future__ import annotations

from fnmatch import fnmatch

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


def is_secret(path: str) -> bool:
    """Whether a file's name says that it holds a secret, as `.env`, `*.pem` or `id_rsa` do."""
    *folders, name = path.lower().split("/")
    if any(fnmatch(name, pattern) for pattern in _NO_SECRETS):
        return False
    hidden = any(folder in _SECRET_FOLDERS for folder in folders)
    return hidden or any(fnmatch(name, pattern) for pattern in _SECRETS)
