"""Hooks of Schemathesis for test/openapi/run.

An Idempotency-Key that comes again with another request is refused, as it has to be, and no
schema can say so: of the valid requests with one key only the first keeps it.
"""
import schemathesis

NAME = "Idempotency-Key"
keys = set()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Takes away a key that another request had."""
    key = case.headers.get(NAME) if case.headers else None
    if key in keys and case.meta and case.meta.generation.mode.is_positive:
        del case.headers[NAME]
    elif isinstance(key, str):
        keys.add(key)
