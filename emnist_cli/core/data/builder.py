"""EMNIST as a tensorflow-datasets builder, for `dataset` and for users of tensorflow-datasets.

It holds every image, upright, with class names, whatever format the source files have.

The builder that ships with tensorflow-datasets (4.9.10) reads hard-coded counts instead of the file headers. It loses
42,000 images of `letters`, leaves images transposed, and gives the classes no names. This builder has the same
features and configurations but a name of its own, so both can share a folder:

    import emnist_cli.core.data.builder  # registers it
    tfds.load("emnist_upright/balanced", data_dir=...)
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.image_classification.mnist import EMNIST

from emnist_cli.core.data import download
from emnist_cli.core.data.chunks import PARTS
from emnist_cli.core.data.sources import EmnistSource, open_source
from emnist_cli.core.errors import DataError
from emnist_cli.core.labels import SPLITS

_SHARD = 250_000  # pictures a file, about 100 MB

_DESCRIPTION = """EMNIST, handwritten digits and letters from NIST Special Database 19, as 28x28 pictures, white ink on
black. Pictures are upright and class ids count from 0, unlike in the published files."""


class _Info(tfds.core.DatasetInfo):  # type: ignore[misc]  # tensorflow-datasets has no types
    def initialize_from_bucket(self) -> None:
        """Google's bucket knows nothing of this dataset, and looking there leaves an empty folder in /tmp."""


class EmnistUpright(EMNIST):  # type: ignore[misc]  # tensorflow-datasets has no types
    """Prepares a split from `source`; without one, downloads NIST's archive as tensorflow-datasets does.

    Attributes:
        source: where the pictures come from.
        on_progress: called with how many pictures were written since the last call.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Every picture of the archive, upright, class ids from 0."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=split.name, description=split.about) for split in SPLITS.values()
    ]
    url_infos = {  # noqa: RUF012
        download.URL: tfds.download.checksums.UrlInfo(size=download.SIZE, checksum=download.SHA256, filename="gzip.zip")
    }

    source: EmnistSource | None = None
    on_progress: Callable[[int], None] = staticmethod(lambda count: None)

    def _info(self) -> tfds.core.DatasetInfo:
        names = [c.label for c in SPLITS[self.builder_config.name].classes]
        return _Info(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(names=names),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://www.nist.gov/itl/products-and-services/emnist-dataset",
            # The files' own order, so that a picture can be found again.
            disable_shuffling=True,
        )

    def _download_and_prepare(self, dl_manager: Any, download_config: Any) -> None:
        """Write each picture as it is read: the usual way holds a whole split in memory to sort it."""
        source = self.source or open_source(Path(dl_manager.download(download.URL)))
        split = self.builder_config.name
        if split not in source.splits:
            there = ", ".join(source.splits)
            raise DataError(f"{source.path}: has no split {split!r}; it has {there}")
        info = self._info()  # another than self.info: it knows of the temporary folder that is written to
        writer = tfds.core.SequentialWriter(info, max_examples_per_shard=_SHARD)
        writer.initialize_splits(list(PARTS))
        for part in PARTS:
            for images, labels in source.chunks(split, part):
                rows = zip(images[..., None], labels.tolist(), strict=True)
                writer.add_examples({part: [{"image": image, "label": label} for image, label in rows]})
                self.on_progress(len(images))
        writer.close_all()
        self.info.set_splits(info.splits)
