-- name: alert_level
-- Units as the engine that speaks has them, with what strangers are told of them.
select distinct on (unit) unit, one.level, points, open_cases, confidence, confidence_reason, cause,
    effective_at::timestamptz as since, told, told_at::timestamptz, override_level, override_until::timestamptz
from alert_level_unit as one left join alert_level_said using (unit)
order by unit, engine

-- name: case_board
-- Open cases, as the board has them.
select stream, unit, kind, stage, provisional, severity, verification_state, next_deadline
from case_board where on_the_board
order by not provisional, coalesce(next_deadline, 'infinity'), stream

-- name: case_timeline
-- What was recorded of cases and reports, without what was said in it.
select position, recorded_at, stream, version, type, role from case_timeline_event order by position

-- name: coverage
-- Units that somebody ever watched.
select unit, state, since::date, last_sign::date, confidence, confidence_reason, reporters, silent,
    next_due::timestamptz
from coverage_unit order by unit

-- name: referral_board
-- Open referrals, as the board has them.
select stream, referral_id, recipient, purpose, state, unit, referred_at, next_due, overdue_since
from referral_board where is_open
order by coalesce(next_due, 'infinity'), stream, referral_id

-- name: review_queue
-- What waits for whom; whether a report waits for grades or for its conclusion is a matter of how many must agree.
select whom, what, stream, subject, unit, kind, urgent, since, due, grades, agreeing
from review_queue order by whom, not urgent, since, stream, what, subject

-- name: silences
-- Every silence, with when and how it ended.
select silence_id, unit, since::timestamptz, until::timestamptz, by, (body ->> 'up_to_level')::integer as up_to_level,
    body ->> 'reason' as reason, ended_at::timestamptz, how
from silence order by silence.since, silence_id
