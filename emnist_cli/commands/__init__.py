"""One file a command: parse, import what is needed, call the core, print."""
