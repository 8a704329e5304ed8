"""Reading whole pages: lines, words and characters found, then read; numpy and scipy, above `core.inference`."""
