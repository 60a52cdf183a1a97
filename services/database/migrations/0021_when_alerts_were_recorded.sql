-- How many alerts an hour had before one of them, without counting all there ever were: bulletins are dated by it.
create index event_alerts_by_time on ledger.event (recorded_at, position) where type = 'alert.issued';
