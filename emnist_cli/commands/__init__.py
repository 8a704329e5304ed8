"""One module per command, registered by `app`: parse, import what is needed, call the core, print."""
