"""The execution shell of a node (the seed's JobExecutionShell): receive, hold, start, run, finish."""
