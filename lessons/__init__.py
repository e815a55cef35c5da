"""The lessons of the course, installed as ``tinyconv.lessons``.

Each lesson is a script ``NN_name.py`` that runs from top to bottom as plain Python, alone or
with ``tinyconv learn NN``.
"""
