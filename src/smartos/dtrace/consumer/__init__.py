"""What dtrace(1M) makes of what the kernel hands over: records, aggregations, formats, messages."""
