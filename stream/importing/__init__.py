"""Tables that people have, turned into events: files, their columns, times, pseudonyms."""
