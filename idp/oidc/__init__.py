"""OpenID Connect over the services: endpoints, tokens and metadata. HTTP is spoken from here up."""
