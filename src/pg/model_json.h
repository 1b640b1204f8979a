/*
 * model_json.h
 *		The JSON form of arima_model, and the words that it and the functions
 *		for reading a model share.
 */
#ifndef AO_MODEL_JSON_H
#define AO_MODEL_JSON_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "glue.h"

/* A bit of AoModel.remarks, as JSON names it and as a reader is told. */
typedef struct AoRemarkName
{
	uint16		bit;
	const char *key;
	const char *words;
} AoRemarkName;

#define AO_N_REMARKS 8

extern const AoRemarkName ao_pg_remark_names[AO_N_REMARKS];
extern const char *const ao_pg_method_names[AO_CSS_ML + 1];	/* by AoMethod */

extern const char *const ao_pg_interval_names[AO_INTERVAL_CONFORMAL + 1];	/* by AoIntervalKind */

/* The kind of interval of that name (len bytes); false if there is none. */
extern bool ao_pg_interval_named(const char *name, int len, AoIntervalKind *kind);
/* The method of that name (len bytes); false if there is none. */
extern bool ao_pg_method_named(const char *name, int len, AoMethod *method);

/* Appends the model as one line of JSON, which ao_pg_model_parse reads back
 * to the same bits. */
extern void ao_pg_model_write(StringInfo out, const AoModel *model);

/* The model that the JSON text or value describes, palloc'd and checked;
 * anything wrong is an error with SQLSTATE 22P02. */
extern AoModel *ao_pg_model_parse(char *json);
extern AoModel *ao_pg_model_from_jsonb(Jsonb *jsonb);

/* Brings a model from outside to canonical form, and reports an error with
 * the given SQLSTATE unless it is valid. */
extern void ao_pg_model_validate(AoModel *model, int sqlstate);

#endif							/* AO_MODEL_JSON_H */
