"""Processor cores, interrupts, and quiet imports of C libraries; the rest of the core uses them."""
