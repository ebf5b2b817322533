"""The report: static pages of each week, made from the published store alone. Computes no figure.

Cheap to import; what draws and writes pages is imported by who makes them.
"""
