"""What is left to set when the network is trained: what it takes a bare stroke for, and how sure it is.

How often digits, capitals and small letters were drawn for training decides whether a plain bar is a 1, an I or an l,
and says nothing about how often each is asked for. What people write on forms is known for the 814,255 characters of
EMNIST: half are digits. The answers are moved half of the way there, by offsets on the logits (the prior shift of
Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural
Computation 14, 2002). No test picture has a part in that. How sure it is, one temperature, is fitted to the scans.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emnist_cli.core.evaluation.calibration import fit_temperature
from emnist_cli.core.evaluation.metrics import Answers

from .pool import CLASSES

WRITTEN = {"digits": 402_953, "capitals": 220_304, "small letters": 190_998}
"""Characters in EMNIST byclass (arXiv 1702.05373, table I)."""

HALF = 0.5
"""Part of the way from what was drawn to what is written on forms: not all that is scanned is a form."""

_KINDS = {"digits": slice(0, 10), "capitals": slice(10, 36), "small letters": slice(36, 62)}
_EACH = 500  # pictures of each kind of scan that the temperature is fitted to


def offsets(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what to add to each class's logit, float32 (62,); 0 for small letters.

    Args:
        labels: int64, the class of each picture that an epoch showed.
    """
    shown = np.bincount(labels, minlength=len(CLASSES))
    wanted = {name: HALF * np.log(WRITTEN[name] / shown[where].sum()) for name, where in _KINDS.items()}
    out = np.zeros(len(CLASSES), np.float32)
    for name, where in _KINDS.items():
        out[where] = wanted[name] - wanted["small letters"]
    return out


def temperature(kinds: Sequence[Answers]) -> float:
    """Fit the temperature to answers that were given without one; each kind of picture counts the same."""
    rng = np.random.default_rng(0)
    probabilities, truth = [], []
    for answers in kinds:
        known = rng.permutation(np.flatnonzero(answers.answered))
        chosen = np.resize(known, _EACH)  # every one, some twice
        probabilities.append(answers.probabilities[chosen])
        truth.append(answers.truth[chosen])
    return fit_temperature(np.concatenate(probabilities), np.concatenate(truth))
