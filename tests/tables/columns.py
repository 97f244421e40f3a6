"""A column of each kind, with what is missing in it where the kind has that."""

from __future__ import annotations

import numpy as np
import pandas as pd

NANOSECONDS = [1_764_042_149_123_456_789, np.iinfo(np.int64).min, 0]
TIMES = pd.Series(pd.DatetimeIndex(np.array(NANOSECONDS, "M8[ns]")).tz_localize("UTC"), name="ts")
SPANS = pd.Series(np.array([1, np.iinfo(np.int64).min, 90_000_000_000], "m8[ns]"), name="duration")
MAYBE = pd.Series([2**53 + 1, None, 0], dtype="Int64", name="packet")
LISTS = pd.Series([[1, 2], np.array([3]), []], dtype=object, name="packets")
WORDS = pd.Series(pd.Categorical(["fin", None, "rst"]), name="close_kind")
FLAGS = pd.Series([True, False, True], name="is_final")
