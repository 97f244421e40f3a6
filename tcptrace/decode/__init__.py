"""Packets become segments: link, network, tunnel and transport headers of a batch at a time.

`decoder.Decoder` takes `Packets` and gives `Segments`; what gives none is counted in `skipped`.
Most packets are read by `plain` at once. Of the others the ⚙ modules walk one family of headers
each; `headers` says what follows what.
"""
