"""OAuth 2.0 and OpenID Connect as values and rules: no I/O, no clock, no framework.

Everything here imports the standard library only. Text that came over the wire goes in, frozen
types or an :class:`~idp.protocol.errors.OAuthError` come out.
"""
