"""Coverage-guided fuzzing of what reads hostile octets; README.md tells how, and what came of it.

target    a function that octets are given to, and the contract that it checks
seeds     octets to begin with, from captures/ and from the decoder's own tests
mutation  changes that keep lengths and counts right, so that they get past the first check
build     a copy of tcptrace whose kernels count the branches they take
run       libFuzzer, through atheris, on that copy
"""
