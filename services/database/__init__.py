"""The database that ledger, vault and projections share: its migrations, and how SQL is kept beside Python."""
