"""The one shared client of the TikTok Shop Open API: network only, no database."""
