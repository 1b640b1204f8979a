/*
 * rolling_state.h
 *		What an aggregate does with the states of rolling.h in PostgreSQL's
 *		memory: shared by rolling.c and accuracy.c.
 */
#ifndef AO_ROLLING_STATE_H
#define AO_ROLLING_STATE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "rolling.h"

/* The memory context that states live in; an error with this hint outside an aggregate. */
extern MemoryContext ao_pg_rolling_context(FunctionCallInfo fcinfo, const char *outside_hint);
/* Takes a row in, or out again; a sum that needs its full range gets it from the context. */
extern void ao_pg_rolling_update(AoRolling *state, MemoryContext context, AoRollingMetric metric,
								 float8 forecast, float8 actual, bool remove);
/* Adds the rows of another state, whose memory is not kept. */
extern void ao_pg_rolling_join(AoRolling *state, AoRolling *other, MemoryContext context);
/* Appends a state to a message, and adds what that has written to a state; a message that is
 * no such thing is an error. */
extern void ao_pg_rolling_send(StringInfo buf, AoRolling *state);
extern void ao_pg_rolling_receive(StringInfo buf, AoRolling *state, MemoryContext context);

#endif							/* AO_ROLLING_STATE_H */
