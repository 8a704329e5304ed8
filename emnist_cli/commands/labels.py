"""`emnist labels`: print the label-mapping table of a split."""

from typing import Annotated

import typer

from emnist_cli.cli.completion import offer_splits
from emnist_cli.cli.options import FormatOption, Output
from emnist_cli.core.labels import SPLITS, find_split
from emnist_cli.output.formats import Format, choose_format, open_output, write_records

COLUMNS = {
    "id": "id",
    "stored_id": "id in EMNIST's files",
    "label": "label",
    "ascii": "ascii",
    "characters": "characters",
}


def labels(
    split: Annotated[
        str,
        typer.Option(
            "--split", "-s", help=f"One of {', '.join(SPLITS)}.", metavar="SPLIT", autocompletion=offer_splits
        ),
    ] = "byclass",
    form: FormatOption = None,
    output: Output = None,
) -> None:
    """Print which character each class id of an EMNIST split stands for.

    As csv this is the label_mapping.csv that many projects carry: emnist
    labels --split balanced --format csv
    """
    table = find_split(split)
    records = [c.as_dict() for c in table.classes]
    chosen = choose_format(form, output)
    with open_output(output) as stream:
        if chosen is not Format.TABLE:
            write_records(records, chosen, stream, list(COLUMNS), ["id", "label"])
            return
        from emnist_cli.console.tables import print_table

        size = f"{table.train:,} training and {table.test:,} test pictures"
        if table.train != table.paper_train:
            size += f" in the archive ({table.paper_train:,} and {table.paper_test:,} in the paper)"
        title = f"{table.name}: {table.about}; {len(table.classes)} classes, {size}"
        print_table(
            records,
            COLUMNS,
            stream,
            title,
            right=("id", "stored_id", "ascii"),
            labels=("label",),
            characters=("characters",),
        )
