/*
 * request.h
 *		The body of a request for a prediction, for the files that answer it.
 */
#ifndef AO_REQUEST_H
#define AO_REQUEST_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "glue.h"

typedef struct AoBody AoBody;	/* what stands where in a body */

/* What a body asks for. */
typedef struct AoRequest
{
	AoSeries	recent;
	const char *series;			/* NULL: the usual one */
	int			horizon;
	double		level;
} AoRequest;

/* Reads a body, which must stay as the result points into it.  Where a string in it is none
 * that PostgreSQL can hold the result is NULL and *fault says so. */
extern AoBody *ao_pg_read_body(text *body, const char **fault);
/* The series that it names, or NULL. */
extern const char *ao_pg_body_series(const AoBody *body);
/* Checks it; false: errors are the elements of the list of what is wrong. */
extern bool ao_pg_check_body(AoBody *body, int least, int most, AoRequest *request, StringInfo errors);

/* Are the recent values of a request found among those recorded? */
typedef enum AoFound
{
	AO_UNSURE,
	AO_OTHERS,					/* hardly any of these is among them */
	AO_FOUND
} AoFound;

/* How they stand to these. */
typedef struct AoPlace
{
	AoFound		found;
	int			newer;			/* so many follow the last recorded one */
	double		factor;			/* of their prices to the recorded ones: 1 unless these have yet to be restated */
} AoPlace;

extern AoPlace ao_pg_count_newer(AoSeries recent, AoSeries recorded);

/* What a request asks for, as a number that is the same everywhere: recent.n -1: no values; as_of NULL: not said. */
extern int64 ao_pg_request_hash(AoSeries recent, int horizon, double level, const TimestampTz *as_of);

/* What was logged for a request, as its reply shows it. */
typedef struct AoAnswer
{
	int64		id;
	TimestampTz made_at;
	const char *series;
	int			version;
	const char *spec;
	double		level;
	int			n;				/* steps */
	const AoForecast *steps;
} AoAnswer;

extern void ao_pg_append_reply(StringInfo out, const AoAnswer *answer);

#endif							/* AO_REQUEST_H */
