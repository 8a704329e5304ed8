"""Results as csv, json, json lines, text or hOCR; every command writes through this package."""
