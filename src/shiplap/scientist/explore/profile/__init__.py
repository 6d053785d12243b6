"""What every column holds, counted over all rows where they lie: the records that findings, tables and figures read."""

from shiplap.scientist.explore.profile.measure import profile_of
from shiplap.scientist.explore.profile.records import ColumnProfile, Dates, Lengths, Numbers, Profile
from shiplap.scientist.explore.profile.tally import Tally

__all__ = ["ColumnProfile", "Dates", "Lengths", "Numbers", "Profile", "Tally", "profile_of"]
