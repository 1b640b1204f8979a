/*
 * prediction_log.h
 *		The log of predictions, for what answers requests.
 */
#ifndef AO_PREDICTION_LOG_H
#define AO_PREDICTION_LOG_H

#include "request.h"
#include "served.h"

/* A row of arima_ops.predictions. */
typedef struct AoPrediction
{
	int64		id;
	const AoServed *series;		/* whose rows are locked: ao_pg_lock_parents */
	int			lead;
	double		adjustment;
	int			horizon;
	int			history_len;
	AoFound		found;
	const AoForecast *step;
	double		level;
	text	   *key;			/* or NULL */
	int64		hash;			/* of the request, where it has a key */
} AoPrediction;

typedef struct AoPredictionLog AoPredictionLog;

extern AoPredictionLog *ao_pg_open_log(void);
extern void ao_pg_log_row(AoPredictionLog *log, const AoPrediction *row);
/* Runs the triggers that are left, and makes the rows visible to the next command. */
extern void ao_pg_close_log(AoPredictionLog *log);

#endif							/* AO_PREDICTION_LOG_H */
