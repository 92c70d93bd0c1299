"""``make mutation``: would a test notice if this line were wrong?

A *mutant* is one of our files with one small mistake in it: a ``<`` for a ``<=``, an argument left out. A test that
fails *kills* it; a surviving mutant shows a line that nothing proves. The mistakes are those of `mutmut
<https://mutmut.readthedocs.io>`_. Its runner is not used: it leaves out decorated functions and everything outside a
function, so our tables, constants and properties; it draws no sample; and it chooses tests by function, not by line.

``mutants`` finds the mutants, ``sample`` draws some, ``trace`` learns which test runs which line, ``trial`` plays one
mutant in its own process, ``results`` keeps the outcomes, ``judgement`` reads the survivors that a person has judged.
"""
