"""Why a report takes no more of something."""

from events.refusals import NotNow


class NoSuchReport(NotNow):
    sentence = "there is no such report where your rights reach: check the id, or ask somebody whose area it is"


class AlreadyReceived(NotNow):
    sentence = "this report was received already: take a new id for another report"


class ReportWithdrawnAlready(NotNow):
    sentence = "this report was withdrawn and takes nothing more"


class ReportSupersededAlready(NotNow):
    sentence = "this report was received again as {received_again_as}: act on that one"


class OwnReport(NotNow):
    sentence = "nobody grades their own report: recuse instead"


class AlreadyGraded(NotNow):
    sentence = "this reviewer graded the report in round {round} already; a grade once given stays as given"


class StoodAside(NotNow):
    sentence = "this reviewer stood aside in round {round} and does not grade in it"


class AnotherRound(NotNow):
    sentence = "the report is in round {current}, not {asked}: read it again"


class NoQuorum(NotNow):
    sentence = "{in_favour} of {required} required agree: seek more views or conclude otherwise"


class AnotherHome(NotNow):
    sentence = "the better place is in another home: receive the report again there instead of correcting it"


class WordsNotOpened(NotNow):
    sentence = "the sealed fields {fields} could not be opened, and a report is not received again without them"


class SameHome(NotNow):
    sentence = "the better place is in the same home: correct the report instead of receiving it again"
