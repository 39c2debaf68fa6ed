"""printf() in three parts: a format taken apart, held against its arguments, and filled in from records."""

from smartos.dtrace.printf.check import validate, validate_keys
from smartos.dtrace.printf.format import Conversion, Format, parse

__all__ = ["Conversion", "Format", "parse", "validate", "validate_keys"]
