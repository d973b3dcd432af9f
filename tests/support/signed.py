"""Keys that sign nothing of value, and a verifier that is not ours."""

from collections.abc import Mapping

import dkim

from digest.outbox.dkim import Key, Signing
from digest.outbox.dkim_keys import read_key, record

RSA_PEM = b"""\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCpzJJnaxacecmu
gmQFKGoczbrN1qWkQL/RaQuJmtuZyCnMGpyVvJ9ywwuRa95k/V1Za3I9t1SU6yN5
jLGDT4lgFNuF/bxnzDoxEKcibzm6X7GysVr9rwD9d3d4A5CGzlAt1Y1QGwok3sZY
+C7b2UkpUbXGHTpDndGAHf3Kk3dPT8IRd58IUk875Plje+st9EzPnr7+y1+avl3T
qYEop+eghq0liyuBGGV86WgpLGcwTEJzPfS33OX9LUUpgh4ocpnSkoXZFiLEZRSO
7LmNX2eFRoNQmi0WtA6qdd41ldzV0qezhLP5s5fiD8OiAb1HTvu+m+PwAYPZRWuS
6UPBYxs9AgMBAAECggEAFRnRSs1NzMm8tLVK+TIdx7EQSRKm2Hvcaolnj+Tg6+Iq
QY1ADsKXPQN8jUiOpVWwE1PtKTq+Zdg3uxvvFl6ct4Y4BpVy46JHTAAiCP8x+RV5
x3dPU627DYSaYd1tiTcb0ypR6pXFo7HUi8thxVviAeK/2Fwa+LqkxYtUledQARi3
2Jk/qLoWwmsUdwQE07K191fZxA/eP7T9e5hgxrm4m6Pi1hHtlRF8IuOTNdUT5T+C
TlFZXu+iAvaixZgZNl+8ZtmdYg5P02ZTheZnGtcHqw3x8N4EtWHU387RFFUqJBvr
KuhEOjtXv/vvTvi/qkYAnL9sXhkR3aOEk8ImSaDJkQKBgQDq8fEueyZ/6zcFGgme
g6UzpIN4G4zBy065FWRYjSVpZabGsKZx5N/N8Urg34lHWt6aMYFoEqMq8IA+dm1W
yec0vEJZF/YtfIjY+n3bQ6dX6EJU/A9sbiMawEgkd880jAhKWwGI/aXqMER0JAPs
pvhGYTalho+Krr2e+mm8AijkMQKBgQC5BBC0zzhiL8gmT1MzhQ0zhgBf3zmLweWH
IWYw7RhBCKsHwO4SVqY9hkzmsLyqHyx2ivCKuBHR6gYjyqb9Fuzwb4829PvIPve/
QRsfSMOOs/uLewqGtuYEzEGMOKgQ2aCEsJ0osKSXB1uCUpaXgOx9yHS2kpPaAl7N
se2pt7JgzQKBgQDOhhj1O+nu3kvCH04/Wgd5Ku8qQEVuARJVXfmUYZZ2XJXK6HOX
gJI/TRD+NWFOKRGuR0AyxNdLopeI0L9yYA7ua2KDQK309BizaxYBDSpn+tF8NQo1
zWbsWAPSksLAtSuAeRkTW6xh/UXfNd2BRJDQBRptTKiXRt2Ghyc0zk01sQKBgQCc
0mNOvu5t205tmoNNghOkforGuLFQUvO4zIiQJAeQ6EX/9npVNPkH4VRBncDs+it3
92DYVBlWsmSt5dIRaGNBkW31CUZ5f1YD2K2ioMyRouEuYwaTFWh23KMatdNPJQg4
MHOlz8RS97uLBXH7zR2nqEe1kRydh7DP7Wcjmj8qaQKBgEvAJ0JQGhpR8xTgbJCi
EHMwGDBZvkAu8YJP9EDGv6m4TsH2XAw0ZpZ0CFbaVAIrCxib77pT+Fv5Pp30Hu4+
lonKC4Wd+Ziz99tRLqfOOUvkrz5ULKSseHicoo6P5fF2p6g+ZhGjjOS7dggBcVLF
FgT0lOhEdK+hvJdoc5pkzsoZ
-----END PRIVATE KEY-----
"""
SHORT_PEM = b"""\
-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAPIJNMTOlme93wVj
xftLyYLPnvd0FV41atM0klvHDNXHf23hzZX168PTzCyAEdiEd5gps6bRLE41OEKe
LTh0SK69COyV2O1Z90GV7iVwvW0j6ajknN5121QdobpWTlhbeKxrKvK9kPOEm79+
53u4NCdWv5g2en4Bd1stSlmL1qntAgMBAAECgYAHBFVPT1307ABHO7lFq9DPxg0p
x2fHL21FakTD/GVW3U3Idb9sFZEcQEuvDpd124FMHAllULMkIU7cP5G4DUb+G3X4
jtSrNwGnKDVsGz2CyReCEtas6byfCERkdpfRuNHqVXRqJ7QqA1paNkfrze5aAhsh
veJypTJwrLt88akqgQJBAPlry65/2b/zIJVN4khTw3kKLEukGsrdn7grwqwop1ED
2dO0szjQ5NlrV2FS6eG1YdpMSoOMgPrmVYHRcoUdQrUCQQD4a4r349lwZnb7sotJ
nA0FpWSRU1dIsiX+mXCGieSxlDIR+LnX+X5LvwRTMAtj8qc+UV7O7eq/0XGSHqwg
TzVZAkEAhPiWBvq8INxCQ7bY60xUyuPEh7L+YabTrsENsPCfes59w6LzZVfgmZTj
acxlSeKEP3gqxYUTgi9n6KS71AGsfQJAUJJQ2GXGOHaDUM9v7cf3UUV7gMcPIDzn
pdQOcxR2YEI4myuY2zvIgrjJplGG4DvrkoLBxUvVP7GmrEXWfgQywQJALwr4sngW
34zD+yq1z4DcpXDLZeGORshd7m9bAylRnHtdrMoljn1oWwkB6cfiPu0+Hdx3nUyt
uk2+RRA2rHd10Q==
-----END PRIVATE KEY-----
"""
"""RSA of 1,024 bits: what receivers just still take."""
TINY_PEM = b"""\
-----BEGIN PRIVATE KEY-----
MIIB5QIBADANBgkqhkiG9w0BAQEFAASCAc8wggHLAgEAAmEAyQ1YB1a80J3I39m8
eETIoy3GQlItB0aH6FHh5LfJUHvy/mQbd7ksoBaUfZQdbU/fj6PopUFAN1oxBTdQ
sZh5K1QcrYuqBpS484Bsd09+djR3urh+EZlcO0FQGcoTtQUhAgMBAAECYG5hmhvl
XiK3DgsAUv5A3VrhjcDptvkQmxtMoVXeJXO/qWhLc90mWD7IRtwvTnyuZZfZkCO9
wgXXJcD3t8c+yqw8EOD7sn5vja3lPgWaRi9/XVEee8tHqwf4AzBTEpOzwQIxAPuE
NHkmOncZTUh978JjKqEZVcA28ZfnJ54xsRj4Fn47gCEFc1BZtxgHiaV+QezkWQIx
AMyi2FeT/4rl25cBP2qiA/KQWMRqlpCLX3KdPrs89jB3v5E/k1G9u4YHjq+BFQEu
CQIwN/B/ezJ1bmfCOI1J9gH4STxJRibyNMbEmPqUWOlUl17EcJO1wfkyL7X9d0FN
iFKBAjEAhg2Xk6eMG72AIGfc10nTNC+DNwhsIbxrhnWkBpxk2lNX1xrCsyWLlr2U
pzv0OpWhAjEAreDYp7+C7n8YpTZQuJ1Mf5vE3PXSjQeRGV501vXUU1tUjXZKk8S7
HJxK1kEEqMUO
-----END PRIVATE KEY-----
"""
"""RSA of 768 bits: what receivers refuse."""
ED25519_PEM = b"""\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
"""
"""That of RFC 8463, appendix A.2."""

RSA, SHORT, ED25519 = read_key(RSA_PEM, "rsa1"), read_key(SHORT_PEM, "short1"), read_key(ED25519_PEM, "ed1")
BOTH = Signing("example.org", (RSA, ED25519))


def verified(message: bytes, *keys: Key, domain: str = "example.org") -> list[bool]:
    """Whether each signature of a message verifies, from the first; `keys` are published for the domain."""
    published = {f"{key.selector}._domainkey.{domain}.": record(key) for key in keys or (RSA, SHORT, ED25519)}
    return verified_by(message, published)


def verified_by(message: bytes, published: Mapping[str, str]) -> list[bool]:
    """The same with records by name, as they are published."""
    verifier = dkim.DKIM(message)
    number = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
    return [_holds(verifier, place, published) for place in range(number)]


def _holds(verifier: dkim.DKIM, place: int, published: Mapping[str, str]) -> bool:
    def text(name: bytes, timeout: int = 5) -> bytes | None:
        found = published.get(name.decode())
        return found.encode() if found else None

    try:
        return bool(verifier.verify(place, dnsfunc=text))
    except dkim.DKIMException:
        return False
