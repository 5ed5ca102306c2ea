"""The engine: joins what TikTok tells with what the store holds."""
