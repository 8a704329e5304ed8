"""Arrays in, probabilities out."""

import numpy as np
import pytest

from emnist_cli.core.classify.classifier import Classifier
from emnist_cli.core.classify.label_view import make_label_view
from emnist_cli.core.errors import UsageError
from emnist_cli.core.preprocessing.prepare import ImagePreparer
from tests.handwriting import picture


def test_a_view_shares_the_network_and_leaves_the_original_alone() -> None:
    classifier = Classifier()
    digits = classifier.with_view(make_label_view(classifier.classes, "0123456789"))
    assert (len(classifier.labels), digits.labels) == (62, tuple("0123456789"))
    seen = ImagePreparer().prepare([picture("7", 1)])[0].pixels
    assert seen is not None
    images = np.stack([seen, seen])
    assert digits._runtime is classifier._runtime
    for each in (classifier, digits):
        probabilities = each.probabilities(images)
        assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-4)
        assert [each.labels[i] for i in probabilities.argmax(axis=1)] == ["7", "7"]


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(UsageError, match=r"expected pictures float32 \(n, 28, 28\)"):
        Classifier().probabilities(np.zeros((1, 28, 28)))  # type: ignore[arg-type]
