"""Settings: from options, then ``RESPITE_*`` environment variables, then defaults; all faults at once."""

from stream.settings.checks import MOST_LATENESS_S
from stream.settings.derived import Settings
from stream.settings.load import InvalidSettings, load_settings

__all__ = ["MOST_LATENESS_S", "InvalidSettings", "Settings", "load_settings"]
