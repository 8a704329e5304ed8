"""The contact sheet and the copies by label that `emnist predict` can create beside its rows."""

from typing import TYPE_CHECKING

from emnist_cli.commands.predict.request import PredictRequest
from emnist_cli.core.records import Prediction
from emnist_cli.output.formats import notify
from emnist_cli.output.resume_rows import ResumeRow

if TYPE_CHECKING:
    from emnist_cli.core.artifacts.contact_sheet import Sheet
    from emnist_cli.core.artifacts.copy_by_label import LabelSorter


class SideOutputs:
    """Creates those that were requested; possibly none."""

    def __init__(self, request: PredictRequest) -> None:
        """Check where they go, before anything is read.

        Raises:
            UsageError: a sheet or a copy cannot be written there.
        """
        self._request = request
        self._sheet: Sheet | None = None
        self._sorter: LabelSorter | None = None
        if request.sheet:
            from emnist_cli.core.artifacts import contact_sheet, image_file

            image_file.check_image_path(request.sheet, request.paths, request.recursive)
            self._sheet = contact_sheet.Sheet(request.sheet_size, request.least_certain)
        if request.copy_to:
            from emnist_cli.core.artifacts import copy_by_label

            copy_by_label.check_copy_dir(request.copy_to, request.paths, request.recursive)
            self._sorter = copy_by_label.LabelSorter(request.copy_to)

    def add(self, prediction: Prediction) -> None:
        """Copy the file of a prediction and keep the prediction for the sheet."""
        if self._sorter is not None:
            self._sorter.add(prediction)
        if self._sheet is not None:
            self._sheet.add(prediction)

    def add_resumed(self, row: ResumeRow) -> None:
        """Add a row of the run that this one continues."""
        if self._sorter is not None or self._sheet is not None:
            self.add(Prediction.from_dict(row))

    def write(self) -> None:
        """Draw the sheet and write it.

        Raises:
            OutputError: it cannot be written.
        """
        if self._sheet is None:
            return
        from emnist_cli.core.artifacts import image_file
        from emnist_cli.core.preprocessing.prepare import ImagePreparer

        path, options = self._request.sheet, self._request.options
        assert path
        preparer = ImagePreparer(options["ink"], options["raw"], options["transposed"])
        image_file.write_image(self._sheet.draw(preparer.look), path)
        if not self._request.quiet:
            notify(f"the contact sheet of {len(self._sheet):,} is in {path}")
