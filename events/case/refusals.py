"""Why a case takes no more of something."""

from events.refusals import NotNow


class NoSuchCase(NotNow):
    sentence = "there is no such case where your rights reach: check the id, or ask somebody whose area it is"


class CaseOpenAlready(NotNow):
    sentence = "this case was opened already: take a new id for another case"


class CaseIsClosed(NotNow):
    sentence = "the work on this case is over: reopen it first"


class CaseNotRatifiedStands(NotNow):
    sentence = "the committee did not ratify this case: reopen it with new evidence first"


class CaseIsMerged(NotNow):
    sentence = "this case was merged into {into}: act on that one, or reverse the merging"


class NothingGraded(NotNow):
    sentence = "none of these reports is graded: have one graded, or open the case provisionally for a threat to life"


class NoThreatToLife(NotNow):
    sentence = "a case stands on no grade only for a threat to life: have a report graded first"


class NotTheirsToOpen(NotNow):
    sentence = "only a coordinator or a referral officer opens a case provisionally, not a {role}"


class NotProvisional(NotNow):
    sentence = "this case waits for no ratification"


class WaitsForRatification(NotNow):
    sentence = "this case waits for ratification: ratify it, or not, before it is closed"


class ReportDoesNotStand(NotNow):
    sentence = "report {report_id} is absent, withdrawn or superseded and is evidence of nothing"


class ReportElsewhere(NotNow):
    sentence = "report {report_id} lives in another home: relate the cases, or receive the report again here"


class LinkedAlready(NotNow):
    sentence = "report {report_id} is linked to this case already"


class NotLinked(NotNow):
    sentence = "report {report_id} is not linked to this case"


class RelatedAlready(NotNow):
    sentence = "the cases are related so already"


class NotRelated(NotNow):
    sentence = "the cases are not related so"


class ItselfMeant(NotNow):
    sentence = "a case is not related to, merged with or counted in itself: name the other one"


class MergedAcrossHomes(NotNow):
    sentence = "the cases live in different homes: relate them as the same incident instead"


class NotMerged(NotNow):
    sentence = "the two cases are not merged"


class AnotherAssessmentRound(NotNow):
    sentence = "the next assessment is round {next}, not {asked}: read the case again"


class NoCommitteeQuorum(NotNow):
    sentence = "{in_favour} of {required} required are for it: seek more views"


class TollCountsElsewhere(NotNow):
    sentence = "case {counted_in} does not count this toll itself: name the case that does"


class TollsCountedApart(NotNow):
    sentence = (
        "the tolls ({kinds}) would be lost or counted twice: record them in {into} first, counted in {into} where this "
        "case counts them itself, else in the case that counts them for this one"
    )


class GraverThanTheOther(NotNow):
    sentence = (
        "this case is {severity} and {into} is less grave: have {into} assessed with what is known of this one first, "
        "or this one as less grave, since nobody would be asked for an answer to it any more"
    )


class ActorUnknownOrInConflict(NotNow):
    sentence = "the alleged actor is unknown or conflicts with {recipient}: such a check is never clear by itself"


class RecipientNotRegistered(NotNow):
    sentence = "{recipient} is not in the register or not active: register it first"


class RecipientNotForThis(NotNow):
    sentence = "{recipient} is not registered for {purpose}: choose another recipient or purpose"


class NothingToRelease(NotNow):
    sentence = "there is nothing of that id that needs a release"


class SamePerson(NotNow):
    sentence = "a second person must do this, who neither acts for the first nor has the first act for them"


class NoHarmCheck(NotNow):
    sentence = "no harm check of that id holds for this recipient and purpose: check for harm first"


class CheckNotClear(NotNow):
    sentence = "the harm check is not clear: a second person releases it with a reason, or nothing is referred"


class CheckTooOld(NotNow):
    sentence = "the harm check held until {valid_until} or looked at an older register entry: check again"


class NoConsent(NotNow):
    sentence = "no consent of that id covers this recipient and purpose: record one first"


class WithoutConsent(NotNow):
    sentence = "nobody agreed: a second person lets the network act without consent, with a reason"


class ConsentWithdrawnAlready(NotNow):
    sentence = "this consent was withdrawn"


class NoSuchReferral(NotNow):
    sentence = "there is no such referral in this case: check the id"


class ReferralGoesBack(NotNow):
    sentence = "the referral has reached {reached}: steps may be skipped but never go back"


class NotCompleted(NotNow):
    sentence = "the referral is not completed: there is no outcome to check"


class RecipientChecksItself(NotNow):
    sentence = "a recipient does not check its own outcome: somebody else looks"


class OpenReferrals(NotNow):
    sentence = "{count} referrals are open: complete or revoke them before the case is closed"


class NotEnded(NotNow):
    sentence = "the case is open: there is nothing to reopen"
