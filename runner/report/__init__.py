"""What a run did, told from its events and commands: lines for people, `bot.log`, `trades.csv`, and the summary."""
