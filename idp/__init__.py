"""Gatehouse: an OpenID Connect provider whose sign-in is the product."""
