"""Why a mail server is not to be had: what people who see an error most often have to do."""

import asyncio

from aiosmtplib import SMTPAuthenticationError, SMTPConnectError

from digest.smtp.url import SmtpUrl

NOT_NOW = (421, 454)
"""Replies to a login of a server that cannot look at it now (RFC 4954 6)."""


def usual_cause(error: BaseException, url: SmtpUrl) -> str:
    """What to do about an error from connecting, securing or authenticating."""
    said = str(error).lower()
    if isinstance(error, SMTPAuthenticationError) and error.code in NOT_NOW:
        return "it says nothing of the password: try again later, or see what the server says"
    if "auth extension" in said or "no suitable authentication" in said:
        return "this server offers no login here, or none that is known: leave out the user name, or ask for its other port"
    if isinstance(error, SMTPAuthenticationError) or "authentication" in said:
        if "gmail" in url.host or "google" in url.host:
            return "Gmail takes an application password, not the account's: https://myaccount.google.com/apppasswords"
        return "check user name and password; providers with two-factor login want an application password"
    if "starttls" in said and "not supported" in said:
        return "this server offers no STARTTLS on that port: try smtps:// with port 465, or ask its operator"
    if url.port == 465 and url.scheme != "smtps":
        return "port 465 speaks TLS from the first byte: write smtps:// instead"
    broke_off = url.scheme == "smtps" and isinstance(error.__cause__, ConnectionResetError)
    if broke_off or any(words in said for words in ("upgrading transport", "protocol version", "unsupported protocol")):
        return "this server breaks off where TLS begins: ask its operator whether it speaks TLS 1.2 or newer"
    if "wrong_version_number" in said or "wrong version number" in said or "record layer" in said:
        return "this port speaks plain text first: smtp+starttls:// goes with 587, smtps:// with 465"
    if "expired" in said:
        return "the server's certificate has expired: ask its operator to renew it"
    if "certificate" in said:
        return "use the name that the server's certificate is for; for an authority of your own set SSL_CERT_FILE"
    if isinstance(error, (SMTPConnectError, asyncio.TimeoutError, OSError)):
        return f"check smtp.url, and that a firewall lets this machine reach {url.host}:{url.port}"
    return "see what the server says, and docs/how-to/smtp.md"
