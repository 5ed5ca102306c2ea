"""How should Evenstock work? The owner's choices, each with what it means; saving tells what changed."""

from core.ui import live, settings_views

rt = live.runtime()
live.heading("How should Evenstock work?", settings_views.answer(rt.choices(), rt.settings.tiktok_shop_sync_interval))
settings_views.form(rt.choices(), rt.settings.tiktok_shop_sync_interval, disabled=not rt.owner)
