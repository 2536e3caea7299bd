"""Contract specs: from YAML text to a frozen model, with every fault as a diagnostic.

`load_folders` reads a catalogue, `load_paths` what a command line names; `model` is what they give.
"""
