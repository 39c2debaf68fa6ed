"""Time zones by name, for the times that `%Y` and `%T` print: as far as the Python at hand has them."""

from datetime import UTC, tzinfo


def time_zone(name: str) -> tzinfo:
    """The zone of a TZ variable; UTC where the name is empty or unknown, as on the real system."""
    if not name or name in ("UTC", "GMT"):
        return UTC
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except (ImportError, KeyError, OSError, ValueError):  # no such zone, or no table of zones here
        return UTC
