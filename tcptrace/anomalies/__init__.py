"""What is odd in the tables, in sentences: whose side it is on, which packets show it, what to do.

Begin with `catalogue.CATALOGUE`; each row is an `anomaly.Anomaly` and names its detector. What
detectors look at is `evidence.Evidence`, what they found becomes the table in `findings`.
"""
