"""SmartOS in miniature: the system that a mailing-list post of August 2011 announces."""

__version__ = "0.1.0"
