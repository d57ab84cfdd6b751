"""A simulated USDⓈ-M exchange: matching, margin, fees, filters.  Pure but for `venue.feeds`; knows nothing of plans."""
