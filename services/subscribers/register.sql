-- name: subscribers
-- Those that the transaction may see, the eldest first; with the end of their old secret, never a secret. What waits are
-- alerts, whatever filters say of them, up to a thousand: positions in between would tell how much is written.
select
    s.*,
    (
        select count(*) from (
            select from ledger.event e
            where e.type = 'alert.issued' and e.position > s.position and e.position <= relay.acknowledged() limit 1000
        ) as ahead
    ) as waiting,
    (select count(*) from notifier.held h where h.subscriber_id = s.subscriber_id) as held_back,
    (
        select max(x.ends_at) from notifier.secret x
        where x.subscriber_id = s.subscriber_id and x.ends_at > clock_timestamp()
    ) as old_secret_ends_at
from notifier.subscriber s
where ($1::uuid is null or s.subscriber_id = $1)
and ($2::timestamptz is null or (s.created_at, s.subscriber_id) > ($2, $3::uuid))
order by s.created_at, s.subscriber_id limit $4

-- name: deliveries
-- What was sent to one, the latest first: of each position in each round of sending, how often and with what result.
select d.* from notifier.delivery d
where d.subscriber_id = $1 and ($2::integer is null or (d.resends, d.position) < ($2, $3::bigint))
order by d.resends desc, d.position desc limit $4

-- name: add
-- The id of the new one, or of the one that was there, or why there is none.
select * from notifier.add($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: change
-- False where there is none such of theirs; so below.
select notifier.change($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: rotate
-- Until when the secret before it is valid too, or until when no other may be made; no row where there is none of theirs.
select * from notifier.rotate($1, $2, $3, $4, $5, $6)

-- name: disable
-- The reason is shown to whoever may see the subscriber.
select notifier.disable($1, $2, $3)

-- name: enable
-- It goes on where it stood.
select notifier.enable($1, $2)

-- name: resend
-- Null where that position is still ahead of it.
select notifier.resend($1, $2, $3)

-- name: remove
-- With all that is kept of it.
select notifier.remove($1, $2)
