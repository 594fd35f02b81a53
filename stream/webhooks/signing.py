"""Standard Webhooks: what proves to a receiver that a message is ours and untouched."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from standardwebhooks import Webhook

_PREFIX = "whsec_"
_LENGTHS = range(24, 65)


class BadSecret(ValueError):
    """A secret that is no secret; the message does not repeat it."""


class Signer:
    """Signs with one secret, or during a rotation with several.

    Parameters
    ----------
    secrets
        ``whsec_`` and base64 of 24 to 64 bytes; several with spaces between.

    Raises
    ------
    BadSecret
        One of them is not of that form.

    References
    ----------
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    def __init__(self, secrets: str) -> None:
        keys = [_key(one) for one in secrets.split()]
        if not keys:
            raise BadSecret("is empty")
        self._webhooks = [Webhook(key) for key in keys]

    def headers(self, webhook_id: str, now_s: float, body: str) -> dict[str, str]:
        """The three headers for a body sent at ``now_s``, epoch seconds.

        Receivers refuse an old time, so every attempt is signed anew; the id stays.
        """
        now = datetime.fromtimestamp(int(now_s), tz=UTC)
        signatures = [webhook.sign(webhook_id, now, body) for webhook in self._webhooks]
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now_s)),
            "webhook-signature": " ".join(signatures),
        }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise BadSecret("must be whsec_ and base64") from error
    if len(key) not in _LENGTHS:
        raise BadSecret(f"has {len(key)} bytes: must be base64 of 24 to 64 random bytes")
    return key
