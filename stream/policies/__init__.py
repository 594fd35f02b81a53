"""Policy files: found, loaded, and turned into what the detectors take."""
