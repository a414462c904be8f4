"""The pure core: what befalls a job, decided from values alone, with no clock, no chance and no environment."""
