from __future__ import annotations

import re

from service.cameras.login import answer

DIGEST = 'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'  # noqa: E501


def test_without_qop_it_is_the_answer_of_rfc_2069() -> None:
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    login = answer([challenge], "Mufasa", "CircleOfLife", "GET", "/dir/index.html")
    assert login is not None
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in login  # errata 749 of RFC 2069


def test_with_qop_it_is_the_answer_of_rfc_7616() -> None:
    login = answer(['Basic realm="x"', DIGEST], "Mufasa", "Circle of Life", "GET", "/dir/index.html")
    assert login is not None
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in login
    assert re.search(r"qop=auth, nc=00000001, algorithm=MD5$", login)
    assert re.search(r'response="[0-9a-f]{32}"', login)
    assert "Circle" not in login


def test_basic_is_answered_when_there_is_nothing_better() -> None:
    challenges = ['Digest realm="x", nonce="y", algorithm=MD5-sess', 'Basic realm="camera"']
    assert answer(challenges, "Aladdin", "open sesame", "GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_what_can_not_be_answered_is_none() -> None:
    assert answer(["Negotiate"], "u", "p", "GET", "/") is None
    assert answer([], "u", "p", "GET", "/") is None
