"""From files to landed records: what upstream may send, how it is read and checked, and what became of each file."""
