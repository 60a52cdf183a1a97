"""What a transparency log is made of, for whoever keeps, cosigns or audits one: RFC 6962, C2SP, and nothing of ours."""
