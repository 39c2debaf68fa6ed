"""Figures about the post, its sources, its licences and its press."""
