"""Job runners in full, each on one page: what the verdict asks of a runner, written as one."""
