"""Edit distance, by which `pages.py`, `read_pages.py` and a test count misread characters."""


def distance(truth: str, read: str) -> int:
    """Edits that turn one text into the other."""
    row = list(range(len(read) + 1))
    for i, x in enumerate(truth, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(read, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
