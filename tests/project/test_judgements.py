"""What people have judged of this tree's mutants is of code that is there."""

from __future__ import annotations

from tests.project.repository import REPOSITORY
from tools.mutation.judgement import read, stale
from tools.mutation.mutants import mutants_of


def test_judgements_are_of_code_that_is_there() -> None:
    judged = read()
    sources = {path: (REPOSITORY / path).read_text() for path in {judgement.path for judgement in judged}}

    assert [] == stale(judged, [mutant for path, source in sources.items() for mutant in mutants_of(path, source)])
