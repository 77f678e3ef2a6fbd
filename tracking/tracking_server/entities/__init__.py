"""The things that the API speaks of, and the requests that ask for them: frozen data without behaviour.

A thing and its JSON have one shape (names in snake_case, int64 as a number, enums by name, unset left out), so nothing
is copied between two forms. Requests refuse unknown fields here; `wire` is lenient in their stead.
"""
