"""Objects on disk: dnodes, object sets, ZAPs, system attributes, space maps, as they are read."""
