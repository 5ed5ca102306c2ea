"""Evenstock: one desk for a TikTok Shop and a store of your own."""
