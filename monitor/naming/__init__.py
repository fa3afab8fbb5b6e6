"""What rows that are alike show, in words: from an encoder's text tower, or from metadata."""

from monitor.naming.lift import ValueCounts, name_by_lift
from monitor.naming.matching import kept_names
from monitor.naming.text_vectors import word_vectors
from monitor.naming.vocabulary import Vocabulary, read_vocabulary
from monitor.naming.zero_shot import distinct, fit_words, group_name, spread_over

__all__ = [
    "ValueCounts",
    "Vocabulary",
    "distinct",
    "fit_words",
    "group_name",
    "kept_names",
    "name_by_lift",
    "read_vocabulary",
    "spread_over",
    "word_vectors",
]
