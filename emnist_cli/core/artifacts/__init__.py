"""Contact sheets, page overlays and copies sorted by label; `emnist predict` and `emnist read` use them."""
