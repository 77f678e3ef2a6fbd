"""Webhooks on their way out: whom they may reach, how they are signed, sent, tried again and given up."""
