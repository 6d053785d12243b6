"""The noise of a series: how much there is, and how long it remembers.

Neighbors in time are alike, and a method that takes them as independent finds changes and trends everywhere. The noise
is modeled as an autoregression (Levinson's recursion on the autocovariances, the order by Schwarz's criterion), whose
spectral density at frequency 0 says how uncertain the mean of a stretch is (Berk, 1974, "Consistent autoregressive
spectral estimates", Annals of Statistics 2). Its persistence is estimated too low in short series, and corrected
(Kendall, 1954, "Note on bias in the estimation of autocorrelation", Biometrika 41).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

__all__ = ["Noise", "long_run_variance", "noise_of", "simulated"]

Floats: TypeAlias = npt.NDArray[np.float64]
_MOST_ORDERS = 6
_MOST_PERSISTENT = 0.97
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Noise:
    """An autoregression.

    Parameters
    ----------
    coefficients : numpy.ndarray of float64, shape (order,)
        What a value takes over from those before it, the nearest first.
    innovation : float
        Variance of what is new in each value.
    variance : float
        Variance of the values.
    """

    coefficients: Floats
    innovation: float
    variance: float

    @property
    def long_run(self) -> float:
        """Variance of the mean of many values, times their number."""
        return self.innovation / (1.0 - float(self.coefficients.sum())) ** 2


def noise_of(series: Floats, *, blocks: int = 1) -> Noise:
    """Estimate the noise of one series of shape (n,).

    Parameters
    ----------
    series : numpy.ndarray of float64, shape (n,)
        A series without season; with one block, without changes of level too.
    blocks : int
        In how many stretches it is cut, each with a level of its own. Of several, the third that varies most is left
        out: so a few changes of level hardly count, and the noise is known before the changes are.

    Examples
    --------
    >>> made = Noise(np.array([0.6]), innovation=1.0, variance=1.5625)
    >>> noise = noise_of(simulated(made, 2000, repeats=1, rng=np.random.default_rng(0))[0])
    >>> bool(0.5 < noise.coefficients[0] < 0.7), bool(5 < noise.long_run < 8)
    (True, True)
    """
    coefficients, innovation, variance = _fitted(np.asarray(series)[None, :], blocks)
    order = int(np.flatnonzero(np.append(True, coefficients[0]))[-1])
    return Noise(coefficients[0, :order], float(innovation[0]), float(variance[0]))


def long_run_variance(series: Floats, *, blocks: int = 1) -> Floats:
    """Estimate the long-run variance of many series, shape (n_series, n), as `noise_of` does of one."""
    coefficients, innovation, _ = _fitted(series, blocks)
    return np.asarray(innovation / (1.0 - coefficients.sum(axis=1)) ** 2)


def simulated(noise: Noise, n: int, *, repeats: int, rng: np.random.Generator) -> Floats:
    """Draw series of that noise, shape (repeats, n)."""
    begin = 100
    steps = rng.normal(size=(repeats, n + begin)) * np.sqrt(noise.innovation)
    return np.asarray(lfilter([1.0], np.append(1.0, -noise.coefficients), steps, axis=1)[:, begin:])


def _fitted(series: Floats, blocks: int) -> tuple[Floats, Floats, Floats]:
    """Fit every row: coefficients (zero past the order), variance of the innovation, variance of the values."""
    rows, length = len(series), series.shape[1] // blocks
    most = min(_MOST_ORDERS, max(1, length // 10))
    covariance = _autocovariance(series[:, : blocks * length].reshape(rows, blocks, length), most)
    n = covariance.shape[1] * length
    covariance = covariance.mean(axis=1)
    current, left = np.zeros((rows, most)), np.maximum(covariance[:, 0], _TINY)
    best = n * np.log(left)
    coefficients, innovation = current.copy(), left.copy()
    for order in range(1, most + 1):
        ahead = covariance[:, order] - (current[:, : order - 1] * covariance[:, order - 1 : 0 : -1]).sum(axis=1)
        reflection = ahead / left
        reversed_part = current[:, : order - 1][:, ::-1].copy()
        current[:, : order - 1] -= reflection[:, None] * reversed_part
        current[:, order - 1] = reflection
        left = np.maximum(left * (1 - reflection**2), _TINY)
        cost = n * np.log(left) + order * np.log(n)
        better = cost < best
        best = np.where(better, cost, best)
        coefficients = np.where(better[:, None], current, coefficients)
        innovation = np.where(better, left, innovation)
    return _corrected(coefficients, length), innovation, covariance[:, 0]


def _autocovariance(stretches: Floats, most: int) -> Floats:
    """Autocovariances of the calmer two thirds of the stretches of each row, shape (n_rows, n_kept, most + 1)."""
    length = stretches.shape[2]
    centered = stretches - stretches.mean(axis=2, keepdims=True)
    products = [(centered[:, :, lag:] * centered[:, :, : length - lag]).sum(axis=2) for lag in range(most + 1)]
    covariance = np.stack(products, axis=2) / length
    calm = np.argsort(covariance[:, :, 0], axis=1)[:, : -(-2 * stretches.shape[1] // 3)]
    return np.asarray(np.take_along_axis(covariance, calm[:, :, None], axis=1))


def _corrected(coefficients: Floats, n: int) -> Floats:
    """Raise the persistence by what its estimate lacks in a short series."""
    persistence = coefficients.sum(axis=1)
    raised = np.minimum(persistence + (1 + 3 * persistence) / n, _MOST_PERSISTENT)
    return np.asarray(coefficients * np.where(persistence > 0, raised / np.maximum(persistence, 1e-6), 1.0)[:, None])
