"""The secrets of an embedded node: drawn at its first start, kept beside its data, for its owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path


def node_keys(data_dir: Path) -> dict[str, str]:
    """Return the node's own secrets as environment variables, drawing them at the first start.

    Losing the vault key loses every name in the vault for good; that is what `forget` relies on.
    """
    path = data_dir / "keys.json"
    if not path.exists():
        _write_once(path, _draw())
    keys = json.loads(path.read_text())
    return {str(name): str(value) for name, value in keys.items()}


def _draw() -> dict[str, str]:
    return {
        "GUITU_SIGNING_KEY": secrets.token_urlsafe(48),
        "GUITU_VAULT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        # Credentials for the local simulator only; the form is Twilio's, the values are random.
        "GUITU_TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "GUITU_TWILIO_AUTH_TOKEN": secrets.token_hex(16),
    }


def _write_once(path: Path, keys: dict[str, str]) -> None:
    """Write in one step, so that an interrupted first start leaves no half file."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(keys, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)
