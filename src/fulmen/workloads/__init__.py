"""The research workloads that ship with fulmen; configs name them, nothing else imports them."""
