"""Campaigns: a pool is crashed, its disks are harmed, its devices change, commands run at once, and nothing may be lost."""
