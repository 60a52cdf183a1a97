"""Published examples, at least one an event type, each named by its case."""

from services.contracts.examples import case, network, referral, report

EXAMPLES = (*report.EXAMPLES, *case.EXAMPLES, *referral.EXAMPLES, *network.EXAMPLES)
