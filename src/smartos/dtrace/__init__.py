"""DTrace: the D language as dtrace(1M) speaks it, compiled to DIF, over whatever the other models do.
"""
