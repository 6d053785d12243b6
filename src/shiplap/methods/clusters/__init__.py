"""Groups of rows that are alike: whether there are any, how many, how firm they are, and what is typical of each."""

from shiplap.methods.clusters.grouping import Clusters, clusters_of
from shiplap.methods.clusters.rules import Description, described

__all__ = ["Clusters", "Description", "clusters_of", "described"]
