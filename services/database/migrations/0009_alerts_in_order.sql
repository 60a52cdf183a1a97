-- Whoever follows the alerts reads them by position, out of all that is in the ledger.

set local role intabaza_owner;
create index event_alerts on ledger.event (position) where type = 'alert.issued';
reset role;
