"""A platform's receipt: its own chain in one file, which can be checked without anything else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

from schemas.hold_ledger import SEGMENT, chain_of
from stream.ledger.chain import HEAD
from stream.ledger.verify import Checked, check_chain


class NoReceipt(Exception):
    """There is nothing that a receipt could be given for; the message says why."""


def write_receipt(folder: Path, platform: str, out: BinaryIO) -> Checked:
    """Write the receipt of a platform: the files of its chain, one behind the other, and the head.

    The chain holds what the platform was told and no other line, so it is handed out as it is: whoever has
    the public key can check every line of it, and learns nothing of others.

    Raises
    ------
    NoReceipt
        The platform has no chain, or it is broken.
    """
    chain = folder / chain_of(platform)
    if not chain.is_dir():
        raise NoReceipt(
            f"{chain}: there is no record for platform {platform}: name it in RESPITE_OUTLETS when "
            "`respite ledger` runs"
        )
    checked = check_chain(chain)
    if checked.faults:
        raise NoReceipt("\n".join(map(str, checked.faults)))
    for path in sorted(chain.iterdir()):
        if SEGMENT.fullmatch(path.name):
            with path.open("rb") as lines:
                shutil.copyfileobj(lines, out)
    out.write((chain / HEAD).read_bytes())
    return checked
