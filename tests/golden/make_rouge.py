"""Write rouge.jsonl: overlaps and stems as rouge_score and NLTK give them.

Run by hand where both are installed (pip install rouge-score==0.1.2 nltk==3.10.4):
``python tests/golden/make_rouge.py > tests/golden/rouge.jsonl``. The texts are ours.
"""

from __future__ import annotations

import json
import sys

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer

TEXTS = [
    "The red machine sorts seven parcels before it stops.",
    "Before it stops, the machine sorted 7 red parcels!",
    "parcels parcels parcels machine",
    "a b a b a b",
    "b a b a b a",
    "",
    "...",
    "Naïve café in İstanbul; K is the Kelvin sign.",
    "The theologians' radically conditional generalizations were happily enjoyed",
    "theology radical condition generalize happy enjoyment",
    "x",
]
STEMS = """
    caresses ponies ties dies caress cats feed agreed plastered bled motoring sing conflated
    troubled sized hopping tanned falling hissing fizzed failing filing happy sky fly enjoy
    relational conditional rational valency hesitancy digitizer conformably radically
    differently vilely analogously vietnamization predication operator feudalism decisiveness
    hopefulness callousness formality sensitivity sensibility triplicate formative formalize
    electricity electrical hopeful goodness revival allowance inference airliner gyroscopic
    adjustable defensible irritant replacement adjustment dependent adoption homologous
    communism activate angularity effective bowdlerize probate rate cease controlling rolling
    theology geology died spied dying innings news howe yyyy syzygy 2019 3d alliallialli lion
    onion mission ssion allying owed owing added egged inned usfulli carefully logi nlogi
"""


def main() -> None:
    """Every pair of texts, stemmed and not, then every word."""
    kinds = ["rouge1", "rouge2", "rougeL"]
    for stem in (True, False):
        scorer = RougeScorer(kinds, use_stemmer=stem)
        for got in TEXTS:
            for want in TEXTS:
                scores = scorer.score(want, got)
                row = {"got": got, "want": want, "stem": stem}
                row |= {kind: list(scores[kind]) for kind in kinds}
                sys.stdout.write(json.dumps(row) + "\n")
    stemmer = PorterStemmer()
    for word in STEMS.split():
        sys.stdout.write(json.dumps({"word": word, "stem_of_word": stemmer.stem(word)}) + "\n")


if __name__ == "__main__":
    main()
