"""The command line: one file per group of commands; `demur.cli.main` puts them together."""
