"""Results of `emnist train`: one record per epoch."""

from typing import TextIO

from emnist_cli.core.records import Epoch
from emnist_cli.output.formats import Format, write_records

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "pictures_per_second", "learning_rate",
           "best")  # fmt: skip
PLAIN = ("epoch", "loss", "accuracy", "val_accuracy")


class EpochRows:
    """Writes epochs to stdout: as they come where the format can, else all at the end.

    A reader that leaves, or a full disk, must not cost the training: it is told when the model is written.
    """

    def __init__(self, form: Format | None, stream: TextIO) -> None:
        """Write to `stream` in that format."""
        self._form, self._stream = form, stream
        self._epochs: list[Epoch] = []
        self._failure: OSError | None = None

    def write(self, epoch: Epoch) -> None:
        """Write an epoch, or keep it for `finish`."""
        self._epochs.append(epoch)
        if self._form in (Format.JSONL, None) and not self._failure:
            try:
                write_records([epoch._asdict()], self._form, self._stream, COLUMNS, PLAIN)
                self._stream.flush()
            except OSError as error:
                self._failure = error

    def finish(self, history: list[Epoch]) -> None:
        """Write what is missing, such as an epoch that was interrupted before it was told.

        Raises:
            OSError: something could not be written.
        """
        for epoch in history:
            if self._epochs and epoch.epoch > self._epochs[-1].epoch:
                self.write(epoch)
        if self._failure:
            raise self._failure
        if self._form in (Format.CSV, Format.JSON):
            write_records((epoch._asdict() for epoch in self._epochs), self._form, self._stream, COLUMNS, PLAIN)
