"""Questions to the kinship library as files: JSON with a documented schema, Familias `.fam`, and results as JSON.

Reads a case, says everything that is wrong with it at once, asks `dna_intake.kinship` or its report mode, and
writes the numbers down with the model and the table they rest on. The likelihood itself belongs to
`dna_intake.kinship`; what the service does with a case belongs to `dna_intake.likelihoods`.
"""
